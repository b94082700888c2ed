import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Adapter, Sample } from '../../src/dataset/adapter.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import {
  automaticShardSize,
  fingerprint,
  Manifest,
  shardsOf,
  type ManifestEntry,
  type ManifestHeader,
} from '../../src/output/manifest.ts'
import { retriedCodes } from '../../src/output/record.ts'
import { enumerate, type EnumerateOptions, type StateRow } from '../../src/producer/enumerate.ts'
import { compareKeys } from '../../src/storage/keyOrder.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { dyingAt, World } from '../support/producerWorld.ts'

let world: World
beforeEach(async () => {
  world = await World.make()
})
afterEach(() => world.remove())

const sample = (key: string, etag = 'e1'): Sample => ({ key, etag, sizeBytes: 1, companions: [] })
const noTruth = { pose: null, box: null, subject: null, sequence: null, frame: null }
const row = (key: string, changes: Partial<StateRow> = {}): StateRow => ({
  key,
  fingerprint: fingerprint(sample(key)),
  status: 'ok',
  code: null,
  ...changes,
})

function adapterOf(samples: readonly Sample[]): Adapter {
  return {
    name: 'list',
    async *samples(_dataset, after) {
      for (const one of samples) if (after === undefined || compareKeys(one.key, after) > 0) yield one
    },
    read: () => Promise.reject(new Error('not asked')),
  }
}

async function* streamOf(rows: readonly StateRow[]): AsyncGenerator<StateRow> {
  yield* rows
}

interface Listed {
  readonly headers: ManifestHeader[]
  readonly entries: ManifestEntry[]
}

async function list(
  samples: readonly Sample[],
  state: readonly StateRow[] = [],
  changes: Partial<EnumerateOptions> = {},
  store = world.output,
  run = 'run',
): Promise<Listed> {
  const manifest = new Manifest(store, 'set', run)
  await enumerate({
    dataset: world.dataset,
    adapter: adapterOf(samples),
    manifest,
    state: streamOf(state),
    full: false,
    shardSize: null,
    signal: new AbortController().signal,
    onPart: async () => undefined,
    onListed: () => undefined,
    ...changes,
  })
  return read(run)
}

async function read(run = 'run'): Promise<Listed> {
  const headers: ManifestHeader[] = []
  const entries: ManifestEntry[] = []
  for await (const part of new Manifest(world.output, 'set', run).parts()) {
    headers.push(part.header)
    entries.push(...part.entries())
  }
  return { headers, entries }
}

const keysOf = (entries: readonly ManifestEntry[]) => entries.map(({ key }) => key)

describe('listing against the state before', () => {
  it('finds what is new, changed and gone, in one sorted pass', async () => {
    const samples = ['a', 'c', 'd', 'ｆ', '😀'].map((key) => sample(key, key === 'c' ? 'e2' : 'e1'))
    const { headers, entries } = await list(
      samples,
      ['0', 'a', 'b', 'c', 'd', 'ｅ', 'ｆ', '😁'].map((key) => row(key)),
    )
    expect(keysOf(entries)).toEqual(['c', '😀'])
    expect(headers).toMatchObject([{ through: '😁', unchanged: 3, gone: ['0', 'b', 'ｅ', '😁'] }])
    expect(await new Manifest(world.output, 'set', 'run').done()).toEqual({
      parts: 1,
      toCompute: 2,
      unchanged: 3,
      gone: 4,
    })
  })

  it('counts what failed for good as unchanged, and tries the rest again', async () => {
    const codes = ['corrupt-image', 'kills-unit', ...retriedCodes]
    const samples = codes.map((code) => sample(code)).toSorted((a, b) => compareKeys(a.key, b.key))
    const state = samples.map(({ key }) => row(key, { status: 'failed', code: key }))
    const { headers, entries } = await list(samples, state)
    expect(keysOf(entries).toSorted()).toEqual([...retriedCodes].toSorted())
    expect(headers[0]?.unchanged).toBe(2)
  })

  it('computes everything anew when asked to', async () => {
    const { entries } = await list([sample('a'), sample('b')], [row('a'), row('b')], { full: true })
    expect(keysOf(entries)).toEqual(['a', 'b'])
  })

  it('lists a sample again when its companions or its truth changed', async () => {
    const truth = { pose: { yaw: 1, pitch: 2, roll: 3 }, box: null, subject: null, sequence: null, frame: null }
    const samples = [
      { ...sample('a'), companions: [{ key: 'a.txt', etag: 'new' }] },
      { ...sample('b'), truth },
      sample('c'),
    ]
    const { entries } = await list(samples, [row('a'), row('b'), row('c')])
    expect(entries).toMatchObject([
      { key: 'a', companions: [{ key: 'a.txt', etag: 'new' }] },
      { key: 'b', truth },
    ])
  })

  it('refuses keys that cannot be laid out, and the second of a pair with one map', async () => {
    const keys = ['../up.jpg', 'a.jpg', 'a.jpg-1.jpg', 'a.jpg.png', 'a//b.jpg']
    const { entries } = await list(keys.map((key) => sample(key)))
    expect(entries.filter(({ refused }) => refused).map(({ key, refused }) => [key, refused])).toEqual([
      ['../up.jpg', 'bad-key'],
      ['a.jpg.png', 'key-collision'],
      ['a//b.jpg', 'bad-key'],
    ])
  })

  it('makes one failed record of a key that the listing cannot tell for certain, and knows it again', async () => {
    const garbled = ['50%.png', 'a%.mat', 'a%.png']
    const dataset = wrapped(world.dataset, {
      async *list() {
        for (const key of [...garbled, 'b.png'])
          yield { key, etag: 'e1', sizeBytes: 1, ...(key === 'b.png' ? {} : { isGarbled: true }) }
      },
    })
    const adapter = openAdapter({
      name: 'images',
      filenameAngles: ['yaw', 'pitch', 'roll'],
      applyExifOrientation: false,
    })
    const { entries } = await list([], [], { dataset, adapter })
    expect(entries.map(({ key, refused }) => [key, refused])).toEqual([
      ['50%.png', 'bad-key'],
      ['a%.png', 'bad-key'],
      ['b.png', undefined],
    ])
    const rows = entries.map(({ key, refused = null }) =>
      row(key, { status: refused === null ? 'ok' : 'failed', code: refused }),
    )
    expect((await list([], rows, { dataset, adapter }, world.output, 'again')).entries).toEqual([])
  })

  it.each([
    ['a%.png', {}],
    ['a%.png#1', { face: 'face' }],
  ])('reads nothing by such a key that an index names either: %s', async (key, columns) => {
    const index = Buffer.from('key,face\na%.png,1\n')
    const dataset = wrapped(world.dataset, {
      get: async (name) => ({ info: { key: name, etag: 'i', sizeBytes: index.length }, bytes: index }),
      async *list() {
        yield { key: 'a%.png', etag: 'e1', sizeBytes: 1, isGarbled: true }
      },
    })
    const adapter = openAdapter({ name: 'csv', applyExifOrientation: false, index: 'index.csv', columns })
    const { entries } = await list([], [], { dataset, adapter })
    expect(entries.map((entry) => [entry.key, entry.refused])).toEqual([[key, 'bad-key']])
  })

  it('knows a refused sample again, and notices when a collision comes or goes', async () => {
    const refusedRow = row('a.jpg.png', { status: 'failed', code: 'key-collision' })
    const both = [sample('a.jpg'), sample('a.jpg.png')]
    expect((await list(both, [row('a.jpg'), refusedRow], {}, world.output, 'same')).entries).toEqual([])
    expect(keysOf((await list([sample('a.jpg.png')], [refusedRow], {}, world.output, 'goes')).entries)).toEqual([
      'a.jpg.png',
    ])
    const comes = await list(both, [row('a.jpg'), row('a.jpg.png')], {}, world.output, 'comes')
    expect(comes.entries).toMatchObject([{ key: 'a.jpg.png', refused: 'key-collision' }])
  })

  it('raises when the listing is not sorted by UTF-8 bytes', async () => {
    await expect(list([sample('😀'), sample('ｆ')])).rejects.toThrow('not sorted')
  })

  it('writes no part for nothing at all', async () => {
    expect((await list([])).headers).toEqual([])
  })
})

describe('parts', () => {
  const keys = ['a.jpg', 'a.jpg-1.jpg', 'a.jpg-2.jpg', 'a.jpg-3.jpg', 'a.jpg.png', 'b', 'c', 'd', 'e', 'f']
  const samples = keys.map((key) => sample(key))
  const state = ['a.jpg-2.jpg', 'b', 'bb', 'bc', 'bd', 'g', 'h'].map((key) => row(key))

  it('are announced once they are in the store, and hold at most so many entries', async () => {
    const announced: number[] = []
    const { headers } = await list(samples, state, {
      partEntries: 3,
      onPart: async ({ part }) => {
        expect((await read()).headers).toHaveLength(part + 1)
        announced.push(part)
      },
    })
    expect(announced).toEqual(headers.map(({ part }) => part))
    expect(headers.every(({ count, gone }) => count <= 3 && gone.length <= 3)).toBe(true)
  })

  it('come out the same whichever put the producer died at', async () => {
    const quiet = await list(samples, state, { partEntries: 3 }, world.output, 'quiet')
    let n = 1
    for (; ; n++) {
      const run = `disturbed-${n}`
      const died = await list(samples, state, { partEntries: 3 }, dyingAt(world.output, n), run).then(
        () => false,
        () => true,
      )
      const again = await list(samples, state, { partEntries: 3 }, world.output, run)
      expect(again).toEqual(quiet)
      expect(await new Manifest(world.output, 'set', run).done()).toEqual(
        await new Manifest(world.output, 'set', 'quiet').done(),
      )
      if (!died) break
    }
    expect(n).toBeGreaterThan(4)
    // The pair's first key lies in an earlier part than its second.
    expect(quiet.entries.find(({ refused }) => refused !== undefined)?.key).toBe('a.jpg.png')
  })

  it('are never written a second time: after `done` the listing is frozen', async () => {
    const before = await list(samples, state)
    expect(await list([...samples, sample('z')], state)).toEqual(before)
  })
})

describe('shards', () => {
  it('are small for a small part and 256 for a full one', () => {
    expect([1, 8, 33, 64, 100, 2_000, 16_384].map(automaticShardSize)).toEqual([1, 1, 5, 8, 8, 32, 256])
  })

  it('cover a part exactly', () => {
    expect(shardsOf({ part: 1, count: 5, shardSize: 2 })).toEqual([
      { part: 1, offset: 0, count: 2 },
      { part: 1, offset: 2, count: 2 },
      { part: 1, offset: 4, count: 1 },
    ])
    expect(shardsOf({ part: 0, count: 0, shardSize: 1 })).toEqual([])
  })
})

describe('a row of an index', () => {
  const fault = 'Line 2 of the index: its box is empty; correct it.'
  const truth = { ...noTruth, fault, faultOf: 'box' as const }
  const bad: Sample = { ...sample('a'), truth }

  it('with a bad box stays the failure that it was, and is no result that a worker made of it in passing', async () => {
    const former = row('a', { fingerprint: fingerprint({ ...bad, truth: { ...noTruth, fault } }) })
    const failed = { ...former, status: 'failed', code: 'bad-label' }
    expect((await list([bad], [failed], {}, world.output, 'failed')).entries).toEqual([])
    expect((await list([bad], [former], {}, world.output, 'ok')).entries).toMatchObject([{ key: 'a', truth }])
  })

  it('is counted where only more of it is read than before', async () => {
    const pose = { yaw: 1, pitch: 2, roll: 3 }
    const now: Sample = { ...sample('a'), truth: { ...noTruth, pose }, formerTruth: noTruth }
    const counts = async (
      samples: Sample[],
      state: StateRow[],
      run: string,
      changes: Partial<EnumerateOptions> = {},
    ) => {
      let counted = -1
      await list(samples, state, { onListed: ({ readAnew }) => (counted = readAnew), ...changes }, world.output, run)
      return counted
    }
    const former = row('a', { fingerprint: fingerprint({ ...now, truth: noTruth }) })
    expect(await counts([now], [former], 'anew')).toBe(1)
    expect(await counts([now], [row('a', { fingerprint: fingerprint(now) })], 'same')).toBe(0)
    expect(await counts([{ ...now, etag: 'e2' }], [former], 'changed')).toBe(0)
    expect(await counts([now], [], 'new')).toBe(0)
    expect(await counts([now], [former], 'full', { full: true })).toBe(0)
  })
})
