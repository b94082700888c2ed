import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { KeptModels } from '../../src/saliency/engines/keptModels.ts'
import { createExplainer, openKeptExplainer } from '../../src/saliency/explainer.ts'
import { keptProgram, type ProgramSource } from '../../src/saliency/keptProgram.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { tinyCheckpoint } from '../support/shard.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headlight-kept-'))
  return () => rmSync(folder, { recursive: true })
})

const network = loadNetwork(readFileSync(tinyCheckpoint), 'tiny.pkl')
const options = { objectives: ['sum'], scope: 'all', style: 'origin', gradients: true, batch: 1 } as const
const program = { network, ...options }
const source: ProgramSource = { ...program, processor: 'avx', version: '1' }
const how = { engine: 'onnxruntime:cpu', intraOpThreads: 1 }
const { input } = network.description
const image = Uint8Array.from({ length: 3 * input.width * input.height }, (_, i) => (i * 7919) % 251)

const kept = (change: Partial<ProgramSource> = {}) => keptProgram(new KeptModels(folder), { ...source, ...change })
const identity = (change: Partial<ProgramSource> = {}) => kept(change)?.identity

test('a program is known by all that it is made of', () => {
  const { file, digest, description } = network
  const changes: Partial<ProgramSource>[] = [
    { version: '2' },
    { processor: 'avx avx2' },
    { network: { file, digest: '0'.repeat(64), description } },
    { network: { file, digest, description: { ...description, heads: [] } } },
    { network: { file, digest, description, externalData: { file: 'tiny.data', digest } } },
    { objectives: ['yaw'] },
    { objectives: ['sum', 'yaw'] },
    { scope: 'stem' },
    { relu6: 'plain' },
    { style: 'magnitude' },
    { gradients: false },
    { values: true },
    { batch: 2 },
  ]
  const identities = [{}, ...changes].map((change) => identity(change))
  expect(new Set(identities).size).toBe(changes.length + 1)
  expect(identity()).toBe(identity({ relu6: 'guided', values: false }))
})

test('none is kept where the sources or the processor are not known', () => {
  expect(keptProgram(new KeptModels(folder), { ...program, processor: 'avx' })).toBeUndefined()
  expect(kept({ processor: null })).toBeUndefined()
})

test('a program that was kept computes the same bytes without its network', async () => {
  expect(await openKeptExplainer({ ...program, ...how, input, kept: known() })).toBeUndefined()
  const compiled = await createExplainer({ ...program, ...how, kept: known() })
  const found = await openKeptExplainer({ ...program, ...how, input, kept: known() })
  expect(await found?.explain([image])).toEqual(await compiled.explain([image]))
  const never = await createExplainer({ ...program, ...how })
  expect(await never.explain([image])).toEqual(await compiled.explain([image]))
  expect(found?.engine).toBe(never.engine)
  for (const explainer of [compiled, found, never]) await explainer?.dispose()
})

test('one whose file is no model, whatever its digest, is compiled again and replaced', async () => {
  await (await createExplainer({ ...program, ...how, kept: known() })).dispose()
  const [name = ''] = readdirSync(folder)
  const rubbish = readFileSync(join(folder, name)).subarray(0, 100_000)
  rmSync(join(folder, name))
  const key = name.slice(0, name.indexOf('-'))
  writeFileSync(join(folder, `${key}-${createHash('sha256').update(rubbish).digest('hex')}.model`), rubbish)
  const explainer = await createExplainer({ ...program, ...how, kept: known() })
  expect(await explainer.explain([image])).toHaveLength(1)
  await explainer.dispose()
  expect(readdirSync(folder)).toEqual([expect.stringMatching(`^${key}-`)])
  const found = await openKeptExplainer({ ...program, ...how, input, kept: known() })
  expect(await found?.explain([image])).toHaveLength(1)
  await found?.dispose()
})

test('where nothing can be written the program is compiled as ever', async () => {
  const models = new KeptModels(join(folder, 'taken'))
  writeFileSync(join(folder, 'taken'), 'a file in its place')
  const explainer = await createExplainer({ ...program, ...how, kept: { ...known(), models } })
  expect(await explainer.explain([image])).toHaveLength(1)
  await explainer.dispose()
})

test('where the disk is full midway the program is compiled as ever, and nothing is left', async () => {
  const models = new KeptModels(folder)
  const path = join(folder, 'no folder', 'draft')
  const draft = { path, keep: () => expect.unreachable('nothing was written'), discard: () => undefined }
  const full = Object.assign(models, { draft: () => draft })
  const explainer = await createExplainer({ ...program, ...how, kept: { ...known(), models: full } })
  expect(await explainer.explain([image])).toHaveLength(1)
  await explainer.dispose()
})

function known() {
  const one = kept()
  if (one === undefined) throw new Error('it may be kept')
  return one
}
