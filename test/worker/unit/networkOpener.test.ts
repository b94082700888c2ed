import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { EngineHost } from '../../../src/worker/unit/engineHost.ts'
import { NetworkOpener } from '../../../src/worker/unit/networkOpener.ts'
import type { UnitReport, UnitSettings } from '../../../src/worker/unitMessages.ts'
import { resultSet } from '../../support/shard.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headlight-opener-'))
  // Each time that it is asked, 250 MiB more are used.
  const driver = join(folder, 'nvidia-smi')
  const counted = `cd ${folder}; echo >> asked; echo "0, GPU-5f1c, $(( $(wc -l < asked) * 250 )), 81559"`
  writeFileSync(driver, `#!/bin/sh\n${counted}\n`)
  chmodSync(driver, 0o755)
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function opener(device: string, open: () => Promise<void> = () => Promise.resolve(), isKept = false) {
  const sent: UnitReport[] = []
  const opened: unknown[] = []
  const networks: unknown[] = []
  const explain = (...batch: unknown[]) => Promise.resolve({ explanations: [], engineMs: 1, batch })
  const host = {
    device,
    openKept: (_name: string, identity: unknown, options: unknown) => {
      if (!isKept) return Promise.resolve(null)
      opened.push(options)
      networks.push({ identity })
      return Promise.resolve({ engine: 'fake', batch: 1, isKept: true, notes: [], explain })
    },
    open: async (
      _name: string,
      identity: unknown,
      network: object,
      options: unknown,
      onBegin: (batch: number | null) => void,
    ) => {
      opened.push(options)
      networks.push({ identity, ...network })
      onBegin(null)
      await open()
      return { engine: 'fake', batch: 1, isKept: false, notes: ['kept'], explain }
    },
  }
  const settings = { engine: 'onnxruntime:cuda', batch: null, gpuEnvironment: { CUDA_VISIBLE_DEVICES: '0' } }
  const made = new NetworkOpener(host as unknown as EngineHost, settings as UnitSettings, (report) => sent.push(report))
  const said = (type: UnitReport['type']) => sent.filter((report) => report.type === type)
  return { opener: made, opened, networks, sent, said }
}

const set = resultSet('file:///images/')
const reads: string[] = []
beforeEach(() => void reads.splice(0))
const file = {
  size: () => Promise.resolve(7),
  read: () => {
    reads.push('read')
    return Promise.resolve({ bytes: new Uint8Array(7) })
  },
}

test('a network is opened when that is allowed, and measured once, with its first batch', async () => {
  const { opener: one, sent, said } = opener('a GPU')
  const opening = one.open('first', set, file)
  await expect.poll(() => sent).toMatchObject([{ type: 'mayOpen', network: { file: 'tiny.pkl', fileBytes: 7 } }])
  // Units that wait must not hold the file in memory.
  expect(reads).toEqual([])
  one.permitted()
  const { engine, measure } = await opening
  expect(said('opened')).toMatchObject([{ how: { isKept: false, notes: ['kept'] } }])
  expect(sent.map(({ type }) => type)).toEqual(['mayOpen', 'opening', 'opened'])
  await engine.explain([])
  await engine.explain([])
  measure()
  const memory = { processBytes: expect.any(Number) as number, deviceBytes: 250 * 2 ** 20 }
  await expect.poll(() => said('memory')).toMatchObject([{ memory, isOnly: true }])
  expect(said('memory')).toHaveLength(1)
})

test('without a GPU only the process is measured, though no image may have come to the engine', async () => {
  const { opener: one, said } = opener('the CPU')
  const opening = one.open('first', set, file)
  await expect.poll(() => said('mayOpen')).toHaveLength(1)
  one.permitted()
  ;(await opening).measure()
  await expect.poll(() => said('memory')).toMatchObject([{ memory: { deviceBytes: null } }])
})

test('two networks are opened one after another, and what the process takes is of both', async () => {
  const { opener: one, said } = opener('the CPU')
  const openings = [one.open('first', set, file), one.open('second', set, file)]
  for (const count of [1, 2]) {
    await expect.poll(() => said('mayOpen')).toHaveLength(count)
    expect(said('opened')).toHaveLength(count - 1)
    one.permitted()
    ;(await openings[count - 1])?.measure()
  }
  await expect.poll(() => said('memory')).toMatchObject([{ isOnly: true }, { isOnly: false }])
})

test('one that cannot be opened is not held, and keeps none waiting', async () => {
  const faults = [new Error('not this time')]
  const {
    opener: one,
    sent,
    said,
  } = opener('the CPU', async () => {
    const fault = faults.pop()
    if (fault) throw fault
  })
  const failing = one.open('first', set, file)
  const next = one.open('second', set, file)
  await expect.poll(() => said('mayOpen')).toHaveLength(1)
  one.permitted()
  await expect(failing).rejects.toThrow('not this time')
  expect(sent.map(({ type }) => type).slice(0, 4)).toEqual(['mayOpen', 'opening', 'closed', 'opened'])
  await expect.poll(() => said('mayOpen')).toHaveLength(2)
  one.permitted()
  expect((await next).engine.engine).toBe('fake')
})

test('a network is opened as its result set says, and images go on with their classes', async () => {
  const { opener: one, opened, said } = opener('the CPU')
  for (const [count, options] of [{}, { relu6: 'plain' as const, scope: 'stem' as const }].entries()) {
    const opening = one.open('set', resultSet('file:///images/', options), file)
    await expect.poll(() => said('mayOpen')).toHaveLength(count + 1)
    one.permitted()
    const { engine } = await opening
    const image = new Uint8Array(1)
    expect(await engine.explain([image], [3])).toMatchObject({ batch: [[image], [3]] })
  }
  expect(opened).toMatchObject([{ scope: 'all' }, { scope: 'stem', relu6: 'plain' }])
})

test('its second file goes on to the engine with it', async () => {
  const { opener: one, networks, said } = opener('the CPU')
  const files = { bytes: new Uint8Array(1), externalData: { file: 'tiny.data', bytes: new Uint8Array(2) } }
  const opening = one.open('set', set, { size: () => Promise.resolve(3), read: () => Promise.resolve(files) })
  await expect.poll(() => said('mayOpen')).toMatchObject([{ network: { fileBytes: 3 } }])
  one.permitted()
  await opening
  expect(networks).toEqual([{ identity: set.network, ...files }])
})

test('one that is found compiled is not read, and says less than one that is compiled of what a network takes', async () => {
  const { opener: one, networks, sent, said } = opener('the CPU', undefined, true)
  const opening = one.open('first', set, file)
  await expect.poll(() => said('mayOpen')).toHaveLength(1)
  one.permitted()
  ;(await opening).measure()
  expect(reads).toEqual([])
  expect(networks).toEqual([{ identity: set.network }])
  expect(sent.slice(0, 2)).toMatchObject([{ type: 'mayOpen' }, { type: 'opened', how: { isKept: true } }])
  await expect.poll(() => said('memory')).toMatchObject([{ isOnly: false }])
})
