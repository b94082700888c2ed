/**
 * What a producer holds in memory while it lists a dataset and while it closes a run over it, at its largest (the
 * kernel's own high-water mark). Each case runs in a process of its own and prints one line of JSON. The stores are
 * synthetic: keys, manifest parts and records are made up as they are asked for, and what is written is thrown away, but
 * for the table and what lies beside it, which later runs start from. These lie in a folder, since a store in memory would
 * be measured.
 *
 *     node --import tsx bench/producerMemory.ts [samples, default 1,000,000]
 */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLogger } from '../src/base/telemetry.ts'
import { openAdapter } from '../src/dataset/adapters.ts'
import { layout } from '../src/output/layout.ts'
import { Manifest, shardsOf } from '../src/output/manifest.ts'
import { stateRows } from '../src/output/stateRows.ts'
import { completedAtlas } from '../src/producer/backfill.ts'
import { enumerate, type StateRow } from '../src/producer/enumerate.ts'
import { finalize } from '../src/producer/finalize.ts'
import { Shards } from '../src/producer/shards.ts'
import { Patience } from '../src/storage/patience.ts'
import { syntheticDataset, syntheticOutput, syntheticRun, syntheticSet, type SyntheticRun } from './syntheticRun.ts'

const samples = Number(process.argv[2] ?? 1_000_000)
const [measured, folder = ''] = process.argv.slice(3)
/** Of the case that was measured; null when it lists no shards. */
let shardsToCompute: number | null = null

const cases = {
  'the listing alone': async () => {
    for await (const _object of syntheticDataset(samples).list()) continue
  },
  'first run, everything is new': () => list(noState()),
  'making up manifest and records alone': () => readAll('first'),
  'closing the first run: table, atlas, summary, report': () => close('first'),
  'second run, nothing has changed': () => {
    const columns = ['key', 'fingerprint', 'status', 'code'] as const
    return list(stateRows(syntheticOutput(samples, folder), syntheticSet.id, 'first', columns))
  },
  'closing the second run: summary alone': () => close('second'),
  'closing a third run, each hundredth image has changed': () => close('third'),
  'the atlas of a result set of an earlier version': () => backfill(),
} satisfies Record<string, () => Promise<void>>

if (measured === undefined) {
  const made = await mkdtemp(join(tmpdir(), 'headlight-bench-'))
  for (const name of Object.keys(cases)) {
    const script = fileURLToPath(import.meta.url)
    spawnSync(process.execPath, [...process.execArgv, script, String(samples), name, made], { stdio: 'inherit' })
  }
  await rm(made, { recursive: true })
} else {
  const began = performance.now()
  await cases[measured as keyof typeof cases]()
  const seconds = (performance.now() - began) / 1_000
  const { maxRSS, userCPUTime } = process.resourceUsage()
  const facts = {
    samples,
    seconds: Math.round(seconds * 10) / 10,
    cpuSeconds: Math.round(userCPUTime / 1e5) / 10,
    microsecondsEach: Math.round((seconds * 1e7) / samples) / 10,
    peakMB: Math.round(maxRSS / 1_000),
    shards: shardsToCompute,
  }
  process.stdout.write(`${JSON.stringify({ case: measured, ...facts })}\n`)
}

async function list(state: AsyncIterable<StateRow>): Promise<void> {
  const dataset = syntheticDataset(samples)
  const shards = new Shards(dataset, 'set', 'run')
  await enumerate({
    dataset,
    adapter: openAdapter(syntheticSet.options.adapter),
    manifest: new Manifest(dataset, 'set', 'run'),
    state,
    full: false,
    shardSize: null,
    signal: new AbortController().signal,
    onPart: async (header) => void shards.add(header),
    onListed: () => undefined,
  })
  shardsToCompute = shards.missingCount
}

/** What of the next case is the stores' own. */
async function readAll(run: string): Promise<void> {
  const output = syntheticOutput(samples, folder)
  for await (const { header } of new Manifest(output, syntheticSet.id, run).parts()) {
    for (const { part, offset } of shardsOf(header)) {
      await output.get(layout.recordFile(syntheticSet.id, run, part, offset))
      await output.get(layout.magnitudeFile(syntheticSet.id, run, part, offset))
      await output.get(layout.inputFile(syntheticSet.id, run, part, offset))
    }
  }
}

async function close(run: SyntheticRun): Promise<void> {
  const output = syntheticOutput(samples, folder)
  await finalize({
    output,
    openDataset: () => syntheticDataset(samples),
    set: syntheticSet,
    run: syntheticRun(run),
    state: 'completed',
    prune: false,
    work: { engines: [], imagesPerSecond: null },
    headlightVersion: '0.0.0',
    patience: new Patience({ signal: new AbortController().signal, say: () => undefined }),
    confirmHold: async () => undefined,
    log: createLogger('silent'),
  })
}

/** What the next run of a result set does before anything else whose table an earlier version wrote. */
async function backfill(): Promise<void> {
  await completedAtlas({
    output: syntheticOutput(samples, folder, { isEarlier: true }),
    set: syntheticSet,
    run: 'first',
    say: () => undefined,
    signal: new AbortController().signal,
    confirmHold: async () => undefined,
    log: createLogger('silent'),
  })
}

async function* noState(): AsyncGenerator<StateRow> {}
