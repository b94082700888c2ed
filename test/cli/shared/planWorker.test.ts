import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createLogger } from '../../../src/base/telemetry.ts'
import type { Call } from '../../../src/cli/command.ts'
import { resolveSettings } from '../../../src/cli/settings/resolveSettings.ts'
import { planWorker } from '../../../src/cli/shared/planWorker.ts'
import { MemoryFile } from '../../../src/worker/memoryFile.ts'
import { networkMemoryKey } from '../../../src/worker/networkMemory.ts'
import { resultSet } from '../../support/shard.ts'

async function newCall(flags: Readonly<Record<string, string>> = {}): Promise<Call> {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-plan-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return {
    settings: resolveSettings({ environment: {}, flags: { engine: 'onnxruntime', ...flags } }),
    surroundings: { environment: {}, version: '0.0.0' },
    folders: { cache: folder, state: folder, engines: folder },
    log: createLogger('silent'),
  } as unknown as Call
}

it('starts as many units as were asked for, and leaves it at that', async () => {
  const plan = await planWorker(await newCall({ units: '7' }))
  expect(plan).toMatchObject({ units: 7, memory: { isGiven: true } })
})

it('starts a unit per core else, as far as memory goes', async () => {
  for (const [availableBytes, fitting] of [
    [2.2e9, 3],
    [1e15, Infinity],
    [1e6, 1],
  ] as const) {
    vi.spyOn(process, 'availableMemory').mockReturnValue(availableBytes)
    const plan = await planWorker(await newCall())
    expect(plan).toMatchObject({
      units: Math.min(fitting, availableParallelism()),
      memory: { availableBytes, mostUnits: availableParallelism(), isGiven: false },
    })
  }
})

it('reckons with what the network took in an earlier run', async () => {
  vi.spyOn(process, 'availableMemory').mockReturnValue(10e9)
  const call = await newCall()
  const set = resultSet('file:///images/')
  const key = networkMemoryKey({ set, engine: 'onnxruntime:cpu', batch: null })
  await new MemoryFile(call.folders.cache).remember(key, { processBytes: 9e9, deviceBytes: null })
  expect((await planWorker(call, set)).units).toBe(1)
})

it('gives units and engines that are tried the time that was asked for', async () => {
  const plan = await planWorker(await newCall({ unitStartSeconds: '7', unitSilenceSeconds: '5' }))
  expect(plan).toMatchObject({ unitStartMs: 7_000, unitSilenceMs: 5_000 })
})
