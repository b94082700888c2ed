/**
 * What a producer holds in memory while it lists a dataset, at its largest (the kernel's own high-water mark). Each case
 * runs in a process of its own and prints one line of JSON. The stores are synthetic: keys are made up as they are
 * listed, manifest parts are thrown away.
 *
 *     node --import tsx bench/producerMemory.ts [samples, default 1,000,000] [--first-only]
 */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fingerprint } from '../src/contract/manifest.ts'
import { layout } from '../src/contract/layout.ts'
import { tableColumns, tableRow } from '../src/contract/table.ts'
import { openAdapter } from '../src/dataset/open.ts'
import { enumerate } from '../src/producer/enumerate.ts'
import type { StateRow } from '../src/producer/enumerate.ts'
import { Manifest } from '../src/producer/manifest.ts'
import { Shards } from '../src/producer/shards.ts'
import { StateTable } from '../src/producer/stateTable.ts'
import { TableWriter } from '../src/producer/tableWriter.ts'
import type { Store } from '../src/storage/store.ts'

const samples = Number(process.argv[2] ?? 1_000_000)
const isFirstOnly = process.argv[3] === '--first-only'
const [measured, tableFile = ''] = isFirstOnly ? [] : process.argv.slice(3)
/** Of the case that was measured; null when it lists no shards. */
let shardsToCompute: number | null = null
const objectives = ['yaw', 'pitch', 'roll']

const cases = {
  'the listing alone': async () => {
    for await (const _object of syntheticStore().list()) continue
  },
  'first run, everything is new': () => list(noState()),
  'writing the table': async () => writeFile(tableFile, stateTable()),
  'second run, nothing has changed': async () => {
    const state = await StateTable.open(syntheticStore(), 'set', 'before')
    await list(state.rows(['key', 'fingerprint', 'status', 'code']))
    await state.close()
  },
} satisfies Record<string, () => Promise<void>>

if (measured === undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-bench-'))
  for (const name of Object.keys(cases).slice(0, isFirstOnly ? 2 : Infinity)) {
    const script = fileURLToPath(import.meta.url)
    const own = [...process.execArgv, script, String(samples), name, join(folder, 'angles.parquet')]
    spawnSync(process.execPath, own, { stdio: 'inherit' })
  }
  await rm(folder, { recursive: true })
} else {
  const began = performance.now()
  await cases[measured as keyof typeof cases]()
  const seconds = Math.round((performance.now() - began) / 100) / 10
  const { maxRSS, userCPUTime } = process.resourceUsage()
  const facts = {
    samples,
    seconds,
    cpuSeconds: Math.round(userCPUTime / 1e5) / 10,
    peakMB: Math.round(maxRSS / 1_000),
    shards: shardsToCompute,
  }
  process.stdout.write(`${JSON.stringify({ case: measured, ...facts })}\n`)
}

async function list(state: AsyncIterable<StateRow>): Promise<void> {
  const dataset = syntheticStore()
  const shards = new Shards(dataset, 'set', 'run')
  await enumerate({
    dataset,
    adapter: openAdapter({ name: 'images', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: false }),
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

function keyAt(i: number): string {
  return `camera/session/${String(i).padStart(9, '0')}/frame.jpg`
}

function etagAt(i: number): string {
  return i.toString(16).padStart(32, '0')
}

function syntheticStore(): Store {
  const unused = () => {
    throw new Error('the listing does not ask for this')
  }
  return {
    uri: 's3://synthetic/',
    endpoint: undefined,
    async *list() {
      for (let i = 0; i < samples; i++) yield { key: keyAt(i), etag: etagAt(i), sizeBytes: 50_000 }
    },
    folders: unused,
    head: unused,
    get: async (key) => {
      if (key !== layout.runTable('set', 'before')) return undefined
      const bytes = await readFile(tableFile)
      return { info: { key, etag: 'etag', sizeBytes: bytes.byteLength }, bytes }
    },
    put: async () => 'etag',
    write: unused,
    delete: unused,
    conditionalPut: async () => true,
    check: unused,
    close: unused,
  }
}

function stateTable(): Uint8Array {
  const writer = new TableWriter(tableColumns({ objectives, logits: false }))
  for (let i = 0; i < samples; i++) {
    const key = keyAt(i)
    const noise = (k: number) => Math.fround(Math.sin(i * 12.9898 + k * 78.233) * 60)
    const left = (objective: string, k: number) => ({
      map: `maps/${objective}/${key}.png`,
      gradient: null,
      gradientMean: noise(4 + k),
      gradientStd: noise(7 + k),
      gradientMaxAbs: noise(10 + k),
    })
    const record = {
      key,
      fingerprint: fingerprint({ etag: etagAt(i), companions: [] }),
      status: 'ok' as const,
      angles: { yaw: noise(1), pitch: noise(2), roll: noise(3) },
      label: null,
      error: null,
      bins: { yaw: null, pitch: null, roll: null },
      imageWidth: 640,
      imageHeight: 480,
      crop: [80, 0, 560, 480] as [number, number, number, number],
      subject: null,
      sequence: null,
      frame: null,
      objectives: Object.fromEntries(objectives.map((objective, k) => [objective, left(objective, k)])),
    }
    writer.add(tableRow(record))
  }
  return writer.finish()
}

async function* noState(): AsyncGenerator<StateRow> {}
