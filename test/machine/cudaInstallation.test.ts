import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { installCuda } from '../../src/machine/cudaInstallation.ts'
import { openedLater } from '../../src/machine/cudaLibraries.ts'
import { carriedProvider, noteOnInstallation, wantedCuda, type WantedCuda } from '../../src/machine/cudaVersions.ts'
import type { Probe } from '../../src/machine/probe.ts'

const require = createRequire(import.meta.url)
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

describe('the versions of ONNX Runtime', () => {
  const advice =
    'whoever raises onnxruntime-node in package.json also raises it in config/engines/cuda/official (package.json and its lockfile); ' +
    'looks whether a newer com.github.asus4.onnxruntime.linux-x64-gpu carries the CUDA provider, and of which version (its README says): ' +
    'config/engines/cuda/carried (both packages and the lockfile) and carriedProvider with its SHA-256 in src/machine/cudaVersions.ts; ' +
    'and looks with which CUDA both are built and what they open: src/machine/cudaLibraries.ts'
  const dependencies = z.object({ dependencies: z.record(z.string(), z.string()) })
  const own = dependencies.parse(readJson('package.json')).dependencies['onnxruntime-node']
  const lock = z.object({ packages: z.record(z.string(), z.object({ version: z.string().optional() })) })
  const locked = (folder: string, name: string) =>
    lock.parse(readJson(join(folder, 'package-lock.json'))).packages[`node_modules/${name}`]?.version
  const { official, carried } = wantedCuda()

  it("are headlight's own for the official provider, and so is what its installer downloads", () => {
    const metadata = z.object({
      manifests: z.record(z.string(), z.record(z.string(), z.object({ package: z.string() }))),
      packages: z.record(z.string(), z.object({ versions: z.array(z.object({ version: z.string() })) })),
    })
    const { manifests, packages } = metadata.parse(require('onnxruntime-node/script/install-metadata.js'))
    const files = manifests['linux/x64:cuda12'] ?? {}
    expect({
      advice,
      wanted: official.version,
      locked: ['onnxruntime-node', 'onnxruntime-common'].map((name) => locked(official.folder, name)),
      downloaded: packages[files['./libonnxruntime_providers_cuda.so']?.package ?? '']?.versions[0]?.version,
      files: Object.keys(carriedProvider.sha256).filter((file) => `./${file}` in files),
    }).toEqual({ advice, wanted: own, locked: [own, own], downloaded: own, files: Object.keys(carriedProvider.sha256) })
  })

  it('are one for the binding and for the provider that an npm package carries', () => {
    const known = {
      'onnxruntime-node': carriedProvider.onnxRuntime,
      [carriedProvider.package]: carriedProvider.version,
    }
    const given = dependencies.parse(readJson(join(carried.folder, 'package.json'))).dependencies
    expect({ advice, ...given }).toEqual({ advice, ...known })
    const all = { ...known, 'onnxruntime-common': carriedProvider.onnxRuntime }
    const names = Object.keys(all)
    const inLock = Object.fromEntries(names.map((name) => [name, locked(carried.folder, name)]))
    expect({ advice, ...inLock }).toEqual({ advice, ...all })
  })
})

it.each(['official', 'carried'] as const)('npm accepts the lockfile of the packages for the %s provider', (source) => {
  const folder = mkdtempSync(join(tmpdir(), 'headlight-lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cpSync(wantedCuda()[source].folder, folder, { recursive: true })
  const args = ['ci', '--dry-run', '--offline', '--ignore-scripts', '--cache', join(folder, 'cache')]
  expect(() => execFileSync('npm', args, { cwd: folder, stdio: 'pipe' })).not.toThrow()
})

describe('engine install cuda', () => {
  /** Any small shared library that is there: the linker is asked what it needs. */
  const library =
    /libm\.so\.6 => (\S+)/.exec(execFileSync('sh', ['-c', 'ldd "$0"', process.execPath]).toString())?.[1] ?? ''
  const bin = 'bin/napi-v6/linux/x64'
  const providers = Object.keys(carriedProvider.sha256)
  let folder: string
  let engines: string
  let installed: string
  let isReachable: boolean
  let probe: (enginesFolder: string) => Promise<Probe>
  const works = () => Promise.resolve({ ok: true, version: '1', device: 'a GPU' } as const)
  const fails = () => Promise.resolve({ ok: false, problem: 'it is broken' } as const)

  /** Puts in place of npm what writes the packages, and in place of ONNX Runtime's installer what needs a file to be there. */
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headlight-cuda-'))
    engines = join(folder, 'engines')
    installed = join(engines, 'onnxruntime-cuda')
    isReachable = false
    probe = works
    const binding = `node_modules/onnxruntime-node/${bin}`
    const carrier = `node_modules/${carriedProvider.package}/Plugins/Linux/x64`
    const installer = `
      const { copyFileSync, existsSync } = require('node:fs')
      if (!existsSync(${JSON.stringify(join(folder, 'reachable'))})) throw new Error('no way')
      for (const name of ${JSON.stringify(providers)}) copyFileSync(${JSON.stringify(library)}, '${bin}/' + name)`
    writeFileSync(join(folder, 'installer.js'), installer)
    const npm = `#!/bin/sh
      set -e
      cat package.json >> ${folder}/npm.log
      mkdir -p ${binding} node_modules/onnxruntime-node/script
      cp ${folder}/installer.js node_modules/onnxruntime-node/script/install.js
      if grep -q ${carriedProvider.package} package.json; then
        mkdir -p ${carrier} node_modules/${carriedProvider.base}
        for name in ${providers.join(' ')}; do cp ${library} ${carrier}/$name; done
      fi`
    mkdirSync(join(folder, 'programs'))
    writeFileSync(join(folder, 'programs', 'npm'), npm)
    chmodSync(join(folder, 'programs', 'npm'), 0o755)
    vi.stubEnv('PATH', `${join(folder, 'programs')}:${process.env['PATH'] ?? ''}`)
    mkdirSync(join(folder, 'cuda'))
    // Our stand-in for the provider names no CUDA, as one for CUDA 12 might.
    for (const name of openedLater(12)) writeFileSync(join(folder, 'cuda', name), '')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  const sha256 = () => createHash('sha256').update(readFileSync(library)).digest('hex')
  function wanted(official: string, carried: string, digest = sha256()): WantedCuda {
    const packages = (name: string, dependencies: Record<string, string>) => {
      mkdirSync(join(folder, name), { recursive: true })
      writeFileSync(join(folder, name, 'package.json'), JSON.stringify({ dependencies }))
      return join(folder, name)
    }
    return {
      official: { version: official, folder: packages('official', { 'onnxruntime-node': official }) },
      carried: {
        version: carried,
        folder: packages('carried', { 'onnxruntime-node': carried, [carriedProvider.package]: '1' }),
        sha256: Object.fromEntries(providers.map((name) => [name, digest])),
      },
    }
  }
  async function install(versions: WantedCuda): Promise<string> {
    const said: string[] = []
    if (isReachable) writeFileSync(join(folder, 'reachable'), '')
    else rmSync(join(folder, 'reachable'), { force: true })
    rmSync(join(folder, 'npm.log'), { force: true })
    const environment = { LD_LIBRARY_PATH: join(folder, 'cuda') }
    const say = (line: string) => said.push(line)
    await installCuda({ enginesFolder: engines, homeFolder: folder, environment, say, wanted: versions, probe })
    expect(readdirSync(engines)).toEqual(['onnxruntime-cuda'])
    return said.join('\n')
  }
  const mark = () => readJson(join(installed, 'installed.json'))
  /** What npm was asked for. */
  const fetched = () => {
    const log = join(folder, 'npm.log')
    return existsSync(log)
      ? [...readFileSync(log, 'utf8').matchAll(/"onnxruntime-node":"([^"]+)"/g)].map(([, v]) => v)
      : []
  }
  const wish = '1.30.0 official, else 1.29.0 carried'

  it("puts headlight's own version there, with the official provider", async () => {
    isReachable = true
    expect(await install(wanted('1.30.0', '1.29.0'))).toMatch(/works, on a GPU$/)
    expect(mark()).toEqual({ version: '1.30.0', source: 'official', wanted: wish })
    expect(fetched()).toEqual(['1.30.0'])
    expect(readdirSync(join(installed, 'node_modules', 'onnxruntime-node', bin)).toSorted()).toEqual(
      providers.toSorted(),
    )
  })

  it('puts the version of the carried provider there where the official one cannot be reached', async () => {
    await install(wanted('1.30.0', '1.29.0'))
    expect(mark()).toEqual({ version: '1.29.0', source: 'carried', wanted: wish })
    expect(readdirSync(join(installed, 'node_modules'))).toEqual(['onnxruntime-node'])
  })

  it('downloads nothing again while headlight wants the same, and says how to', async () => {
    await install(wanted('1.30.0', '1.29.0'))
    isReachable = true
    expect(await install(wanted('1.30.0', '1.29.0'))).toMatch(
      /installed already.*1\.29\.0.*\n.*1\.30\.0.*engine remove/,
    )
    expect(fetched()).toEqual([])
    expect(mark()).toMatchObject({ version: '1.29.0' })
  })

  it('renews an installation when headlight has moved on, by the official provider or the carried one', async () => {
    await install(wanted('1.29.0', '1.28.0'))
    expect(mark()).toMatchObject({ version: '1.28.0' })
    await install(wanted('1.30.0', '1.29.0'))
    expect(mark()).toEqual({ version: '1.29.0', source: 'carried', wanted: wish })
    isReachable = true
    await install(wanted('1.31.0', '1.29.0'))
    expect(mark()).toMatchObject({ version: '1.31.0', source: 'official' })
    expect(fetched()).toEqual(['1.31.0'])
  })

  it('keeps one that is no older than what could be had, and does not look for it again', async () => {
    isReachable = true
    await install(wanted('1.29.0', '1.28.0'))
    isReachable = false
    expect(await install(wanted('1.30.0', '1.29.0'))).toContain('ONNX Runtime 1.29.0 stays')
    expect(mark()).toEqual({ version: '1.29.0', source: 'official', wanted: wish })
    expect(fetched()).toEqual(['1.30.0'])
    await install(wanted('1.30.0', '1.29.0'))
    expect(fetched()).toEqual([])
  })

  it('fetches nothing where only the carried version has changed and the official one is there', async () => {
    isReachable = true
    await install(wanted('1.30.0', '1.28.0'))
    await install(wanted('1.30.0', '1.29.0'))
    expect([fetched(), mark()]).toEqual([[], { version: '1.30.0', source: 'official', wanted: wish }])
  })

  it('never ends with less than there was', async () => {
    await install(wanted('1.30.0', '1.28.0'))
    const before = mark()
    // One that works is not replaced by one that does not,
    isReachable = true
    probe = (enginesFolder) => (enginesFolder === engines ? works() : fails())
    expect(await install(wanted('1.31.0', '1.29.0'))).toMatch(
      /1\.31\.0 is not put in its place.*broken\n(.*\n)*.*1\.29\.0 is not/,
    )
    expect(mark()).toEqual(before)
    // nor by one that is not what it should be,
    isReachable = false
    await expect(install(wanted('1.31.0', '1.29.0', 'other'))).rejects.toMatchObject({ code: 'bad-engine' })
    expect(mark()).toEqual(before)
    expect(readdirSync(engines)).toEqual(['onnxruntime-cuda'])
    // but one that does not work either is.
    probe = fails
    expect(await install(wanted('1.31.0', '1.29.0'))).toContain('does not work: it is broken')
    expect(mark()).toMatchObject({ version: '1.29.0' })
  })

  it('replaces what an older headlight left without saying what it is, or broken', async () => {
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, 'installed.json'), '{"version":"1.20.0"}')
    await install(wanted('1.30.0', '1.29.0'))
    expect(mark()).toEqual({ version: '1.29.0', source: 'carried', wanted: wish })
  })

  it('names what is missing, the compiler for kernels and every part of cuDNN included', async () => {
    for (const name of ['libnvrtc.so.12', 'libcudnn_adv.so.9']) rmSync(join(folder, 'cuda', name))
    probe = () => Promise.reject(new Error('tried'))
    const said = await install(wanted('1.30.0', '1.29.0'))
    expect(said).toMatch(/missing: libcudnn_adv\.so\.9\nmissing: libnvrtc\.so\.12\n.*nvidia-cuda-nvrtc-cu12/)
    expect(said).toMatch(/is taken, though it lacks libcudnn_adv/)
  })
})

describe('an installation', () => {
  let engines: string
  beforeEach(() => {
    engines = mkdtempSync(join(tmpdir(), 'headlight-aged-'))
    mkdirSync(join(engines, 'onnxruntime-cuda'))
  })
  afterEach(() => rmSync(engines, { recursive: true }))
  const leave = (text: string) => writeFileSync(join(engines, 'onnxruntime-cuda', 'installed.json'), text)
  const note = () => noteOnInstallation('onnxruntime:cuda', engines)

  it('that another headlight left is told, with the command that renews it', () => {
    expect(note()).toBe(null)
    leave('{"version":"1.20.0","source":"carried","wanted":"1.21.0 official, else 1.20.0 carried"}')
    expect(note()).toMatch(/of ONNX Runtime 1\.20\.0, .*: headlight engine install cuda renews it/)
    leave('{}')
    expect(note()).toContain('of an older ONNX Runtime')
  })

  it('of this headlight needs no word, nor does another engine', () => {
    const { official, carried } = wantedCuda()
    const wanted = `${official.version} official, else ${carried.version} carried`
    leave(JSON.stringify({ version: carried.version, source: 'carried', wanted }))
    expect(note()).toBe(null)
    leave('{}')
    expect(noteOnInstallation('onnxruntime:cpu', engines)).toBe(null)
  })
})
