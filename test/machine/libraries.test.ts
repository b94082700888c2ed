import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { linkCudaLibraries, missingLibraries } from '../../src/machine/cudaLibraries.ts'
import { findLibtensorflow } from '../../src/machine/libtensorflow.ts'

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

describe("CUDA's libraries", () => {
  it('are linked from where the linker is told to look, then from the packages of an environment', async () => {
    put('told', 'libcublas.so.13')
    put('told', 'libc.so.6')
    put('venv', 'lib', 'python3.12', 'site-packages', 'nvidia', 'cublas', 'lib', 'libcublas.so.13')
    put('venv', 'lib', 'python3.12', 'site-packages', 'nvidia', 'cudnn', 'lib', 'libcudnn_ops.so.9')
    const links = join(folder, 'links')
    const environment = { LD_LIBRARY_PATH: join(folder, 'told'), VIRTUAL_ENV: join(folder, 'venv') }
    // Twice: an installation is repeated when libraries have come.
    await linkCudaLibraries(links, environment, folder)
    await linkCudaLibraries(links, environment, folder)
    expect(readlinkSync(join(links, 'libcublas.so.13'))).toBe(join(folder, 'told', 'libcublas.so.13'))
    expect(readlinkSync(join(links, 'libcudnn_ops.so.9'))).toMatch(/nvidia\/cudnn\/lib\/libcudnn_ops\.so\.9$/)
    expect(existsSync(join(links, 'libc.so.6'))).toBe(false)
  })

  it('are of one release each: the first folder counts, and one that holds a part of a family does not', async () => {
    const names = ['libcudnn.so.9', 'libcudnn_ops.so.9', 'libcudnn_cnn.so.9']
    for (const name of [names[0] ?? '', 'libcudnn.so.9.1.0', 'libcudnn.so.8', 'libcublas.so.12', 'libcublasLt.so.12'])
      put('part', name)
    for (const name of [...names, 'libcublas.so.12', 'libcublasLt.so.12']) put('whole', name)
    for (const name of names) put('later', name)
    const links = join(folder, 'links')
    const told = ['part', 'whole', 'later'].map((name) => join(folder, name))
    await linkCudaLibraries(links, { LD_LIBRARY_PATH: told.join(':') }, folder)
    for (const name of names) expect(readlinkSync(join(links, name))).toBe(join(folder, 'whole', name))
    expect(existsSync(join(links, 'libcudnn.so.9.1.0'))).toBe(false)
    for (const name of ['libcudnn.so.8', 'libcublas.so.12', 'libcublasLt.so.12'])
      expect(readlinkSync(join(links, name))).toBe(join(folder, 'part', name))
  })

  it('are named one by one when they are missing', async () => {
    put('links', 'libcudnn.so.9')
    const links = join(folder, 'links')
    expect(await missingLibraries(process.execPath, links, ['libcudnn.so.9', 'libnowhere.so.7'])).toEqual([
      'libnowhere.so.7',
    ])
  })
})
