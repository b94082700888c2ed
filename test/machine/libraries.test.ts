import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { linkCudaLibraries, missingLibraries } from '../../src/machine/cudaLibraries.ts'
import { cudnnParts } from '../../src/machine/cudnn.ts'
import { engineEnvironment } from '../../src/machine/engineEnvironment.ts'
import { findLibtensorflow } from '../../src/machine/libtensorflow.ts'

/** Any shared library that is there. */
const binding = 'onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headlight-libraries-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(...path: string[]): void {
  const file = join(folder, ...path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, '')
}

describe('the libtensorflow that is given', () => {
  const find = (given: string) =>
    findLibtensorflow({ given, cuda: false, workFolder: join(folder, 'work'), say: () => undefined })

  it('is found in the folder of a Python package, with its version', async () => {
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'include/a.h']) {
      put('site-packages', 'tensorflow', name)
    }
    put('site-packages', 'tensorflow_cpu-2.20.1.dist-info', 'METADATA')
    const libraries = join(folder, 'site-packages', 'tensorflow')
    const expected = { libraries, headers: join(libraries, 'include'), version: '2.20.1', temporary: false }
    expect(await find(libraries)).toMatchObject(expected)
    expect(await find(join(folder, 'site-packages'))).toMatchObject(expected)
  })

  it('is refused where there is none', async () => {
    put('empty', 'readme')
    for (const given of [join(folder, 'empty'), join(folder, 'nowhere'), join(folder, 'empty', 'readme')]) {
      await expect(find(given)).rejects.toMatchObject({ code: 'bad-option' })
    }
  })
})

/** As the installation links them; `links` is where the links lie, `said` what it had to say. */
async function link(cuda: 12 | 13, environment: Readonly<Record<string, string>>) {
  const said: string[] = []
  const installation = join(folder, 'installed')
  await linkCudaLibraries(installation, { cuda, environment, homeFolder: folder, say: (line) => said.push(line) })
  const links = join(installation, 'libraries')
  return {
    links,
    said,
    of: (name: string) => readlinkSync(join(links, name)),
    absent: readdirSync(join(links, 'absent')).toSorted(),
  }
}
const told = (...names: string[]) => ({ LD_LIBRARY_PATH: names.map((name) => join(folder, name)).join(':') })

describe("CUDA's libraries", () => {
  it('are linked from where the linker is told to look, then from the packages of an environment', async () => {
    put('told', 'libcublas.so.13')
    put('told', 'libc.so.6')
    put('venv', 'lib', 'python3.12', 'site-packages', 'nvidia', 'cublas', 'lib', 'libcublas.so.13')
    put('venv', 'lib', 'python3.12', 'site-packages', 'nvidia', 'cudnn', 'lib', 'libcudnn_ops.so.9')
    const environment = { ...told('told'), VIRTUAL_ENV: join(folder, 'venv') }
    // Twice: an installation is repeated when libraries have come.
    await link(13, environment)
    const { links, of } = await link(13, environment)
    expect(of('libcublas.so.13')).toBe(join(folder, 'told', 'libcublas.so.13'))
    expect(of('libcudnn_ops.so.9')).toMatch(/nvidia\/cudnn\/lib\/libcudnn_ops\.so\.9$/)
    expect(existsSync(join(links, 'libc.so.6'))).toBe(false)
  })

  it('are of one folder each: the first one counts, unless it holds a part of a family', async () => {
    put('part', 'libcublas.so.12')
    for (const name of ['libcublas.so.12', 'libcublasLt.so.12', 'libcudart.so.12']) put('whole', name)
    for (const name of ['libcublas.so.12', 'libcublasLt.so.12', 'libcudart.so.12']) put('later', name)
    const { of } = await link(12, told('part', 'whole', 'later'))
    for (const name of ['libcublas.so.12', 'libcublasLt.so.12', 'libcudart.so.12'])
      expect(of(name)).toBe(join(folder, 'whole', name))
  })

  it('are those of the CUDA that the provider was built for', async () => {
    const names = ['libcublas.so.12', 'libcufft.so.11', 'libcurand.so.10', 'libcublas.so.13', 'libcufft.so.12']
    for (const name of names) put('both', name)
    const { links } = await link(13, told('both'))
    expect(names.filter((name) => existsSync(join(links, name)))).toEqual(names.slice(2))
  })

  it('include the compiler for kernels under the name that it is asked for by', async () => {
    for (const name of ['libnvrtc.so.13', 'libnvrtc-builtins.so.13.0', 'libnvrtc.so.12']) put('told', name)
    const { links } = await link(13, told('told'))
    expect(realpathSync(join(links, 'libnvrtc.so'))).toBe(join(folder, 'told', 'libnvrtc.so.13'))
    expect(existsSync(join(links, 'libnvrtc-builtins.so.13.0'))).toBe(true)
  })

  it('are named one by one when they are missing', async () => {
    put('links', 'libcudnn.so.9')
    const links = join(folder, 'links')
    expect(await missingLibraries(process.execPath, links, ['libcudnn.so.9', 'libnowhere.so.7'])).toEqual([
      'libnowhere.so.7',
    ])
  })
})

describe('cuDNN', () => {
  /** Files as NVIDIA's archives have them: `libcudnn_ops.so.9`, a link to `libcudnn_ops.so.9.1.0`. */
  const putRelease = (place: string, release: string, parts: readonly string[] = cudnnParts) => {
    for (const part of parts) {
      put(place, `${part}.so.${release}`)
      rmSync(join(folder, place, `${part}.so.9`), { force: true })
      symlinkSync(`${part}.so.${release}`, join(folder, place, `${part}.so.9`))
    }
  }
  /** Files as a Python package puts them, and its list of them. */
  const putPackage = (cuda: number, release: string, size: number, parts: readonly string[] = cudnnParts) => {
    const record = parts.map((part) => {
      const path = `nvidia/cudnn/lib/${part}.so.9`
      put('site', ...path.split('/'))
      writeFileSync(join(folder, 'site', path), 'x'.repeat(size))
      return `${path},sha256=abc,${size}`
    })
    put('site', `nvidia_cudnn_cu${cuda}-${release}.dist-info`, 'RECORD')
    writeFileSync(join(folder, 'site', `nvidia_cudnn_cu${cuda}-${release}.dist-info`, 'RECORD'), record.join('\n'))
  }
  const sitePackages = 'site/nvidia/cudnn/lib'

  it('is of one release after half an upgrade: of a folder that holds parts of two, those that are whole', async () => {
    putRelease('mixed', '9.1.0')
    putRelease('mixed', '9.5.1', ['libcudnn_ops', 'libcudnn_cnn'])
    const { of, said } = await link(12, told('mixed'))
    for (const part of cudnnParts) expect(of(`${part}.so.9`)).toBe(join(folder, 'mixed', `${part}.so.9.1.0`))
    expect(said).toEqual([expect.stringMatching(/cuDNN 9\.5\.1 in .*mixed is left out: it lacks libcudnn, /)])
  })

  it('is that of another folder where the first one holds no whole release', async () => {
    putRelease('mixed', '9.1.0', cudnnParts.slice(0, 5))
    putRelease('mixed', '9.5.1', cudnnParts.slice(5))
    putRelease('whole', '9.13.0')
    putRelease('later', '9.14.0')
    const { of, said } = await link(12, told('mixed', 'whole', 'later'))
    for (const part of cudnnParts) expect(of(`${part}.so.9`)).toBe(join(folder, 'whole', `${part}.so.9.13.0`))
    expect(said).toEqual([expect.stringContaining('cuDNN 9.1.0 in'), expect.stringContaining('cuDNN 9.5.1 in')])
  })

  it('has every name that a program or one of its parts opens it by', async () => {
    putPackage(13, '9.24.0.43', 5)
    const { of } = await link(13, told(sitePackages))
    for (const version of ['.9.24.0', '.9.24', '.9', ''])
      expect(of(`libcudnn_graph.so${version}`)).toBe(join(folder, sitePackages, 'libcudnn_graph.so.9'))
  })

  it('is that for the CUDA of the provider, though both lie in folders of one name', async () => {
    putPackage(12, '9.13.0.48', 5)
    const none = await link(13, told(sitePackages))
    expect(none.said).toEqual([
      expect.stringMatching(/cuDNN 9\.13\.0\.48 in .* is left out: it is for CUDA 12, not 13/),
    ])
    expect(existsSync(join(none.links, 'libcudnn.so.9'))).toBe(false)
    // The later one wins, name by name, and what it does not have stays of the former.
    putPackage(13, '9.14.0.1', 6)
    putPackage(12, '9.13.0.48', 5, [...cudnnParts, 'libcudnn_old'])
    putPackage(13, '9.14.0.1', 6)
    const both = await link(13, told(sitePackages))
    expect(both.of('libcudnn.so.9.14.0')).toBe(join(folder, sitePackages, 'libcudnn.so.9'))
    expect(existsSync(join(both.links, 'libcudnn_old.so.9'))).toBe(false)
    expect(both.absent).toContain('libcudnn_old.so.9')
    // Known beats unknown, whole beats known.
    putRelease('unknown', '9.1.0')
    expect((await link(13, told('unknown', sitePackages))).of('libcudnn.so.9')).toContain(sitePackages)
    rmSync(join(folder, sitePackages, 'libcudnn_adv.so.9'))
    expect((await link(13, told(sitePackages, 'unknown'))).of('libcudnn.so.9')).toContain('unknown')
  })

  it('does not take a file that was copied over one of the package', async () => {
    putPackage(13, '9.14.0.1', 6)
    writeFileSync(join(folder, sitePackages, 'libcudnn_ops.so.9'), 'another')
    const { links, said } = await link(13, told(sitePackages))
    expect(existsSync(join(links, 'libcudnn_ops.so.9'))).toBe(false)
    expect(said).toContainEqual(
      expect.stringMatching(/cuDNN 9\.14\.0\.1 in .* is taken, though it lacks libcudnn_ops$/),
    )
  })

  it('tells its release by the header beside it where its files do not', async () => {
    for (const part of cudnnParts) put('archive', 'lib', `${part}.so.9`)
    put('archive', 'include', 'cudnn_version.h')
    const header = '#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 2\n#define CUDNN_PATCHLEVEL 1\n'
    writeFileSync(join(folder, 'archive', 'include', 'cudnn_version.h'), header)
    const { of } = await link(12, told('archive/lib'))
    expect(of('libcudnn.so.9.2.1')).toBe(join(folder, 'archive/lib/libcudnn.so.9'))
  })

  it('is not completed by the linker with a part of another release', async () => {
    putRelease('most', '9.1.0', cudnnParts.slice(0, -1))
    const part = cudnnParts.at(-1) ?? ''
    put('other', `${part}.so.9.5.1`)
    // A real library, so that the linker could load it.
    copyFileSync(createRequire(import.meta.url).resolve(binding), join(folder, 'other', `${part}.so.9`))
    const { said, absent } = await link(12, told('most', 'other'))
    expect(said).toContainEqual(
      expect.stringMatching(/cuDNN 9\.1\.0 in .*most is taken, though it lacks .*runtime_comp/),
    )
    const versions = ['.so', '.so.9', '.so.9.1', '.so.9.1.0']
    expect(absent.filter((name) => versions.some((version) => name === part + version))).toHaveLength(4)
    const opened = (environment: Readonly<Record<string, string | undefined>>) =>
      spawnSync(process.execPath, ['-e', `process.dlopen({ exports: {} }, '${part}.so.9')`], { env: environment })
        .stderr.toString()
        .split('\n')
        .find((line) => line.includes('Error:'))
    expect(opened(told('other'))).not.toMatch(/too short|libcudnn\S*: cannot open/)
    const given = { engine: 'onnxruntime:cuda', enginesFolder: join(folder, 'engines'), device: null } as const
    mkdirSync(given.enginesFolder)
    renameSync(join(folder, 'installed'), join(given.enginesFolder, 'onnxruntime-cuda'))
    expect(opened(engineEnvironment(told('other'), given))).toContain('absent')
  })

  it('may come later where there is none yet', async () => {
    mkdirSync(join(folder, 'empty'))
    expect((await link(12, told('empty'))).absent).toEqual([])
  })
})
