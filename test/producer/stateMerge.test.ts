import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { Manifest, shardsOf, type ManifestEntry } from '../../src/output/manifest.ts'
import type { MapPlace } from '../../src/output/mapPlaces.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { samplesMark } from '../../src/output/shardSamples.ts'
import { readSmallMaps } from '../../src/output/smallMaps.ts'
import { tableRow, type TableRow } from '../../src/output/table.ts'
import { StateCursor } from '../../src/producer/stateCursor.ts'
import { mergeState, type MergeOptions } from '../../src/producer/stateMerge.ts'
import { collected, computeShard, recordOf, World } from '../support/producerWorld.ts'
import { silent } from '../support/redis.ts'

let world: World
let set: ResultSet
beforeEach(async () => {
  world = await World.make()
  set = await world.prepare(['yaw', 'pitch'])
})
afterEach(() => world.remove())

const entry = (key: string): ManifestEntry => ({
  key,
  etag: 'e',
  sizeBytes: 1,
  fingerprint: 'abcdef0123456789',
  companions: [],
})
const former = (key: string): TableRow => tableRow({ ...recordOf(entry(key), []), fingerprint: 'old' })

async function* streamOf(keys: readonly string[]): AsyncGenerator<TableRow> {
  for (const key of keys) yield former(key)
}

async function* placesOf(places: readonly (MapPlace | null)[]): AsyncGenerator<MapPlace | null> {
  yield* places
}

/** Two parts of shards of two. */
async function listed(parts: readonly { keys: string[]; gone?: string[]; through: string }[], computed = true) {
  const manifest = new Manifest(world.output, set.id, 'run')
  for (const [part, { keys, gone = [], through }] of parts.entries()) {
    const header = { schema: 1 as const, part, through, count: keys.length, shardSize: 2, unchanged: 0, gone }
    await manifest.putPart(header, keys.map(entry))
    if (computed) for (const shard of shardsOf(header)) await computeShard(world.output, set, { run: 'run', ...shard })
  }
  return manifest
}

function merge(
  manifest: Manifest,
  state: readonly string[],
  { places, ...changes }: Partial<MergeOptions> & { places?: readonly (MapPlace | null)[] } = {},
) {
  return collected(
    mergeState({
      output: world.output,
      set: set.id,
      run: 'run',
      manifest,
      state: new StateCursor(streamOf(state), places && placesOf(places)),
      mayLack: false,
      objectives: set.options.objectives,
      log: silent,
      ...changes,
    }),
  )
}

const shown = (rows: Awaited<ReturnType<typeof merge>>) =>
  rows.flatMap(({ row, from }) => (from === 'dropped' ? [] : [from === 'records' ? `+${row.key}` : row.key]))

describe('the final state', () => {
  it('is the state before, less what is gone, with the records put in, by UTF-8 bytes', async () => {
    const manifest = await listed([
      { keys: ['b', 'd', 'e'], gone: ['c'], through: 'f' },
      { keys: ['ｆ', '😀'], gone: ['z'], through: '😀' },
    ])
    const rows = await merge(manifest, ['a', 'c', 'd', 'f', 'g', 'z', 'ｅ', 'ｇ', '😀', '😁'])
    expect(shown(rows)).toEqual(['a', '+b', '+d', '+e', 'f', 'g', 'ｅ', '+ｆ', 'ｇ', '+😀', '😁'])
  })

  it('lacks what is gone behind the last record of a part', async () => {
    const manifest = await listed([
      { keys: ['b'], gone: ['c'], through: 'd' },
      { keys: [], gone: ['e', 'z'], through: 'z' },
    ])
    expect(shown(await merge(manifest, ['a', 'c', 'd', 'e', 'f', 'z']))).toEqual(['a', '+b', 'd', 'f'])
  })

  it('leaves out the maps of a shard whose file of maps is another worker’s, and says so', async () => {
    const manifest = await listed([{ keys: ['a', 'broken', 'c'], through: 'c' }])
    const file = layout.magnitudeFile(set.id, 'run', 0, 0, samplesMark([true, false]))
    const bytes = (await world.output.get(file))?.bytes ?? new Uint8Array()
    await world.output.put(file, Buffer.concat([bytes, bytes]))
    const said: unknown[] = []
    const log = silent.child({})
    log.warn = (...words: unknown[]) => void said.push(...words)
    const rows = await merge(manifest, [], { log })
    expect(rows.map(({ place }) => place?.file.offset)).toEqual([undefined, undefined, 2])
    expect(said).toEqual([expect.stringContaining('are not those of its 1 results')])
  })

  it('has the small maps of each computed sample and their place, and of the state those that it had', async () => {
    const manifest = await listed([{ keys: ['a', 'broken', 'c', 'd'], gone: ['e'], through: 'f' }])
    const samples = samplesMark([true, false])
    const file = { run: 'run', part: 0, offset: 0, samples, count: 1, hasInputs: true }
    const other = { ...file, offset: 2, samples: '', count: 2 }
    const before = { ...file, run: 'before', count: 256 }
    const rows = await merge(manifest, ['aa', 'c', 'e'], {
      places: [{ file: before, slot: 1 }, null, { file: before, slot: 3 }],
    })
    const checksums = { mag: expect.any(Number), input: expect.any(Number) }
    expect(rows.map(({ row, from, place }) => [from, row.key, place])).toEqual([
      ['records', 'a', { file: { ...file, checksums }, slot: 0 }],
      ['state', 'aa', { file: before, slot: 1 }],
      ['records', 'broken', null],
      ['dropped', 'c', null],
      ['records', 'c', { file: { ...other, checksums }, slot: 0 }],
      ['records', 'd', { file: { ...other, checksums }, slot: 1 }],
      ['dropped', 'e', { file: before, slot: 3 }],
    ])
    const stored = await readSmallMaps(world.output, set.id, 2, other)
    const [found] = rows.flatMap((row) => (row.from === 'records' && row.row.key === 'd' ? [row.maps] : []))
    expect(found?.magnitudes).toEqual(stored?.at(1).magnitudes)
    expect(found?.input).toHaveLength(28 * 28)
  })

  it('lacks nothing, unless the run was cancelled', async () => {
    const manifest = await listed([{ keys: ['a', 'b', 'c'], through: 'c' }])
    await world.output.delete(layout.recordFile(set.id, 'run', 0, 2))
    await expect(merge(manifest, [])).rejects.toThrow('missing')
    expect(shown(await merge(manifest, ['c'], { mayLack: true }))).toEqual(['+a', '+b', 'c'])
  })

  it('refuses a record file that is not what the manifest wants there', async () => {
    const manifest = await listed([{ keys: ['a', 'b', 'c', 'd'], through: 'd' }])
    const first = await world.output.get(layout.recordFile(set.id, 'run', 0, 0))
    await world.output.put(layout.recordFile(set.id, 'run', 0, 2), first?.bytes ?? '')
    await expect(merge(manifest, [])).rejects.toThrow('where the manifest has c')
    await world.output.put(layout.recordFile(set.id, 'run', 0, 2), '')
    await expect(merge(manifest, [])).rejects.toThrow('0 records')
    const text = Buffer.from(first?.bytes ?? '').toString()
    const older = text.replaceAll('abcdef0123456789', '0123456789abcdef')
    await world.output.put(layout.recordFile(set.id, 'run', 0, 0), older)
    await expect(merge(manifest, [])).rejects.toThrow('holds a where the manifest has a')
  })

  it('refuses a key that two parts hold', async () => {
    const manifest = await listed([
      { keys: ['a', 'b'], through: 'b' },
      { keys: ['b', 'c'], through: 'c' },
    ])
    await expect(merge(manifest, [])).rejects.toThrow('double')
  })
})
