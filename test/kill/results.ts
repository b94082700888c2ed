import { createHash } from 'node:crypto'
import { currentRun } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { openMapPlaces } from '../../src/output/mapPlaces.ts'
import { recordSchema } from '../../src/output/record.ts'
import { readResultSet } from '../../src/output/resultSet.ts'
import { readRun, runIds } from '../../src/output/runs.ts'
import { readSmallMaps } from '../../src/output/smallMaps.ts'
import { stateRows } from '../../src/output/stateRows.ts'
import { readSummary } from '../../src/output/summary.ts'
import type { Store } from '../../src/storage/store.ts'

/** Digests of everything of a result set that must not depend on what happened on the way, by key without run ids. */
export type Results = ReadonlyMap<string, string>

/**
 * Reads the result set of an output and checks what holds of each by itself: one record per sample, a closed run that is
 * published, nothing held any more. Returns what must be the same bytes as those of a run that nobody disturbed.
 */
export async function readResults(output: Store, samples: number): Promise<Results> {
  const set = await onlySet(output)
  const results = new Map<string, string>()
  const recorded = new Map<string, string>()
  for await (const { key } of output.list({ prefix: `${set}/` })) {
    const [, run = '', file = ''] = /\/runs\/([^/]+)\/(.*)$/.exec(key) ?? []
    const name = run === '' ? key.slice(set.length + 1) : `runs/RUN/${file}`
    if (!/^maps\/|^runs\/RUN\/(records|failures)|angles\.parquet$|^network\//.test(name)) continue
    const bytes = await read(output, key)
    if (/records\/.*\.jsonl$/.test(name)) {
      for (const line of bytes.toString().trimEnd().split('\n')) {
        const { key: sample } = recordSchema.parse(JSON.parse(line))
        const before = recorded.get(sample)
        if (before !== undefined) throw new Error(`${sample} has a record in ${before} and in ${key}`)
        recorded.set(sample, key)
      }
    }
    // A run that finds nothing to do, as one does that follows a kill just after the publishing, lists its failures too.
    const digest = createHash('sha256').update(bytes).digest('hex')
    if (results.has(name) && results.get(name) !== digest) throw new Error(`two runs have different ${name}`)
    results.set(name, digest)
  }
  if (recorded.size !== samples) throw new Error(`${recorded.size} records for ${samples} samples`)
  await checkClosed(output, set, samples)
  return results
}

/**
 * Reads what the current run of an output stands for: its table, its failures, what is added up beside it, and all maps,
 * the small ones by their places. After several runs that is what must equal a fresh run over the same dataset.
 */
export async function readState(output: Store, samples: number): Promise<Results> {
  const { set, run } = await publishedRun(output)
  await checkClosed(output, set, samples)
  const digest = async (key: string) =>
    createHash('sha256')
      .update(await read(output, key))
      .digest('hex')
  const results = new Map([
    ['table', await digest(layout.runTable(set, run))],
    ['failures', await digest(layout.failures(set, run))],
    ['aggregates', await digest(layout.aggregates(set, run))],
    ['atlas', await digest(layout.atlas(set, run))],
    ['atlas of inputs', await digest(layout.inputAtlas(set, run))],
  ])
  for await (const { key, maps } of smallMaps(output, set, run)) results.set(`small maps of ${key}`, maps)
  for await (const { key } of output.list({ prefix: `${set}/maps/` })) {
    results.set(key.slice(set.length + 1), await digest(key))
  }
  return results
}

/**
 * Checks what `--keep-runs 1` must leave: the trend of every run, the state's table and no other, and all small maps of
 * its rows.
 */
export async function checkKept(output: Store): Promise<void> {
  const { set, run } = await publishedRun(output)
  for await (const { key, maps } of smallMaps(output, set, run)) {
    if (maps === 'missing') throw new Error(`the small maps of ${key} are gone`)
  }
  for (const each of await runIds(output, set)) {
    const { computed = 0, gone = 0 } = (await readRun(output, set, each))?.counts ?? {}
    const trend = [layout.summary(set, each), layout.failures(set, each)]
    for (const key of computed + gone > 0 ? [...trend, layout.aggregates(set, each)] : trend) await read(output, key)
    const hasTable = (await output.head(layout.runTable(set, each))) !== undefined
    if (hasTable !== (each === run))
      throw new Error(`${each} has ${hasTable ? 'a' : 'no'} table, and ${run} is the state`)
  }
}

/** Of each row that did not fail, by its place: a digest of its magnitude maps and of its input. */
async function* smallMaps(output: Store, set: string, run: string): AsyncGenerator<{ key: string; maps: string }> {
  const objectives = (await readResultSet(output, set))?.options.objectives.length ?? 0
  const places = (await openMapPlaces(output, set, run))?.places()
  for await (const { key, status } of stateRows(output, set, run, ['key', 'status'])) {
    const place = (await places?.next())?.value
    if (status !== 'ok') continue
    const small = place ? await readSmallMaps(output, set, objectives, place.file) : undefined
    const { magnitudes, input } = small?.at(place?.slot ?? 0) ?? {}
    const isThere = magnitudes !== undefined && input !== undefined
    yield { key, maps: isThere ? createHash('sha256').update(magnitudes).update(input).digest('hex') : 'missing' }
  }
}

/** Of an output that holds one result set. */
export async function publishedRun(output: Store): Promise<{ set: string; run: string }> {
  const set = await onlySet(output)
  const run = await currentRun(output, set)
  if (run === null) throw new Error('nothing is published')
  return { set, run }
}

async function onlySet(output: Store): Promise<string> {
  const sets: string[] = []
  for await (const set of output.folders('')) sets.push(set)
  const [set] = sets
  if (set === undefined || sets.length > 1) throw new Error(`result sets: ${sets.join(', ') || 'none'}`)
  return set
}

async function checkClosed(output: Store, set: string, samples: number): Promise<void> {
  if ((await output.head(layout.hold(set))) !== undefined) throw new Error('the hold was not given back')
  if ((await output.head(layout.report(set))) === undefined) throw new Error('there is no report')
  for (const run of await runIds(output, set)) {
    const state = (await readRun(output, set, run))?.state ?? 'without run.json'
    if (state !== 'completed') throw new Error(`run ${run} is ${state}`)
  }
  const current = await currentRun(output, set)
  if (current === null) throw new Error('nothing is published')
  const total = (await readSummary(output, set, current))?.counts.total
  if (total !== samples) throw new Error(`the summary counts ${total} samples`)
}

async function read(store: Store, key: string): Promise<Buffer> {
  const object = await store.get(key)
  if (object === undefined) throw new Error(`${key} is missing`)
  return Buffer.from(object.bytes)
}

/** Names of what differs, or what only one side has. */
export function differences(a: Results, b: Results): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key)).sort()
}
