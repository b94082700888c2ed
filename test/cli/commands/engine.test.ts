import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lockFile } from '../../../src/base/fileLock.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'

it('engine list tries every engine and says what mends those that cannot be used', async () => {
  await inFolder(async (folder) => {
    const { ended } = startHeadlight(['engine', 'list', '--json', '--engines-folder', folder])
    const { code, stdout } = await ended
    expect(code).toBe(0)
    const { engines } = JSON.parse(stdout) as { engines: { engine: string }[] }
    const of = (name: string) => engines.find(({ engine }) => engine === name)
    expect(of('onnxruntime:cpu')).toMatchObject({ usable: true, device: 'the CPU', problem: null, remedy: null })
    expect(of('reference')).toMatchObject({ usable: true })
    expect(of('tfjs:tensorflow')).toEqual({
      engine: 'tfjs:tensorflow',
      usable: false,
      version: null,
      device: null,
      problem: expect.stringContaining('not installed') as string,
      remedy: 'headlight engine install tfjs',
      note: null,
      origin: null,
    })
  })
})

it('engine list says of an installation of another headlight that it works, and what renews it', async () => {
  await inFolder(async (folder) => {
    const installed = join(folder, 'onnxruntime-cuda')
    const standIn = join(installed, 'node_modules', 'onnxruntime-node')
    mkdirSync(standIn, { recursive: true })
    writeFileSync(join(installed, 'installed.json'), '{"version":"1.20.0","source":"carried","wanted":"others"}')
    // Computes on the CPU whatever it is told.
    const real = JSON.stringify(createRequire(import.meta.url).resolve('onnxruntime-node'))
    writeFileSync(
      join(standIn, 'index.js'),
      `const real = require(${real})
      const create = (model) => real.InferenceSession.create(model)
      module.exports = { env: real.env, Tensor: real.Tensor, InferenceSession: { create } }`,
    )
    const list = ['engine', 'list', '--engines-folder', folder]
    const [text, json] = await Promise.all([startHeadlight(list).ended, startHeadlight([...list, '--json']).ended])
    const note = 'ONNX Runtime 1.20.0, which another version of headlight installed: headlight engine install cuda'
    expect(text.stdout).toMatch(new RegExp(`^usable +onnxruntime:cuda .*a GPU .*\n +→ .*${note}`, 'm'))
    const { engines } = JSON.parse(json.stdout) as { engines: { engine: string }[] }
    expect(engines.find(({ engine }) => engine === 'onnxruntime:cuda')).toMatchObject({
      usable: true,
      problem: null,
      note: expect.stringContaining(note) as string,
    })
    // One that does not work is told the same.
    writeFileSync(join(standIn, 'index.js'), 'throw new Error("broken")')
    expect((await startHeadlight(list).ended).stdout).toMatch(
      new RegExp(`^unusable +onnxruntime:cuda .*broken.*${note}`, 'm'),
    )
  })
})

it('engine remove takes away an installation, and what is none is refused', async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'tfjs'))
    writeFileSync(join(folder, 'tfjs', 'installed.json'), '{}')
    mkdirSync(join(folder, 'other'))
    expect(await headlight(['engine', 'remove', 'tfjs', '--engines-folder', folder])).toMatchObject({ code: 0 })
    expect([existsSync(join(folder, 'tfjs')), existsSync(join(folder, 'other'))]).toEqual([false, true])
    const refused = await headlight(['engine', 'remove', 'other', '--engines-folder', folder])
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/tfjs and cuda/) as string })
    expect(existsSync(join(folder, 'other'))).toBe(true)
  })
})

it('an engine that must be installed first is refused with the command that does it', async () => {
  await inFolder(async (folder) => {
    const image = join(imageFolder, 'BIWI00000001_-17_+1_+17.png')
    const args = ['explain', image, '--network', networkFile, '--engines-folder', folder, '--engine']
    expect(await headlight([...args, 'tfjs'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('headlight engine install tfjs') as string,
    })
    expect(await headlight([...args, 'onnxruntime:cuda'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('headlight engine install cuda') as string,
    })
  })
})

it('an installation that cannot begin leaves the one that is there, and nothing half-made', async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'tfjs'))
    writeFileSync(join(folder, 'tfjs', 'installed.json'), '{}')
    const install = (...more: string[]) => headlight(['engine', 'install', ...more, '--engines-folder', folder])
    expect(await install('tfjs', '--tensorflow', join(folder, 'nowhere'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('neither a TensorFlow wheel') as string,
    })
    expect(await install('cuda', '--cuda')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('install tfjs') as string,
    })
    expect(readdirSync(folder).toSorted()).toEqual(['lock', 'tfjs'])
    expect(readdirSync(join(folder, 'tfjs'))).toEqual(['installed.json'])
  })
})

it('two installations at once are refused, and so is a removal meanwhile', async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'tfjs'))
    const searchPath = process.env['PATH'] ?? ''
    const lock = await lockFile(join(folder, 'lock'), { kind: 'exclusive', waitMs: 0, searchPath })
    for (const command of ['install', 'remove']) {
      expect(await headlight(['engine', command, 'tfjs', '--engines-folder', folder])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('wait for its end') as string,
      })
    }
    lock?.release()
    expect(existsSync(join(folder, 'tfjs'))).toBe(true)
  })
})
