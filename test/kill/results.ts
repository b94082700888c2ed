import { createHash } from 'node:crypto'
import { currentRun } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { recordSchema } from '../../src/output/record.ts'
import { readRun, runIds } from '../../src/output/runs.ts'
import { readSummary } from '../../src/output/summary.ts'
import type { Store } from '../../src/storage/store.ts'

/** Digests of everything of a result set that must not depend on what happened on the way, by key without run ids. */
export type Results = ReadonlyMap<string, string>

/**
 * Reads the result set of an output and checks what holds of each by itself: one record per sample, a closed run that is
 * published, nothing held any more. Returns what must be the same bytes as those of a run that nobody disturbed.
 */
export async function readResults(output: Store, samples: number): Promise<Results> {
  const sets: string[] = []
  for await (const set of output.folders('')) sets.push(set)
  const [set] = sets
  if (set === undefined || sets.length > 1) throw new Error(`result sets: ${sets.join(', ') || 'none'}`)

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
 * Reads what the current run of an output stands for: its table, its failures, and all maps. After several runs that is
 * what must equal a fresh run over the same dataset.
 */
export async function readState(output: Store, samples: number): Promise<Results> {
  const sets: string[] = []
  for await (const set of output.folders('')) sets.push(set)
  const [set = ''] = sets
  await checkClosed(output, set, samples)
  const run = (await currentRun(output, set)) ?? ''
  const digest = async (key: string) =>
    createHash('sha256')
      .update(await read(output, key))
      .digest('hex')
  const results = new Map([
    ['table', await digest(layout.runTable(set, run))],
    ['failures', await digest(layout.failures(set, run))],
  ])
  for await (const { key } of output.list({ prefix: `${set}/maps/` })) {
    results.set(key.slice(set.length + 1), await digest(key))
  }
  return results
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
