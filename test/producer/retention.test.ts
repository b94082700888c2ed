import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { InputError, PlaceError, TransientError } from '../../src/base/errors.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { currentRun, publish } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest, shardsOf } from '../../src/output/manifest.ts'
import { openMapPlaces } from '../../src/output/mapPlaces.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun, openRun, runIds } from '../../src/output/runs.ts'
import { samplesMark } from '../../src/output/shardSamples.ts'
import { readSmallMaps } from '../../src/output/smallMaps.ts'
import { stateRows } from '../../src/output/stateRows.ts'
import { closeCancelled } from '../../src/producer/cancel.ts'
import { enumerate } from '../../src/producer/enumerate.ts'
import { finalize } from '../../src/producer/finalize.ts'
import { removeOldRuns } from '../../src/producer/retention.ts'
import { FilesystemStore } from '../../src/storage/filesystem.ts'
import { Patience } from '../../src/storage/patience.ts'
import { PatientStore } from '../../src/storage/patientStore.ts'
import type { Store } from '../../src/storage/store.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { collected, computeShard, noPatience, World } from '../support/producerWorld.ts'
import { silent } from '../support/redis.ts'

let world: World
let set: ResultSet
/** Of the history, oldest first; the fourth changed nothing. */
let runs: string[]
/** Each test's own copy of the output. The dataset stays as it is. */
let output: Store
let copies = 0

beforeAll(async () => {
  world = await World.make(['a.png', 'b.png', 'broken.png', 'c.png', 'd.png', 'e.png', 'f.png'])
  output = world.output
  set = await world.prepare()
  await completed()
  await world.addImage('b.png', 'another b')
  await completed()
  await world.removeImage('d.png')
  await world.addImage('g.png')
  await completed()
  await completed()
  await world.addImage('f.png', 'another f')
  await completed()
  runs = await runIds(output, set.id)
})
afterAll(() => world.remove())
beforeEach(async () => {
  output = await copied(world.output)
})

async function copied(from: Store): Promise<Store> {
  const folder = join(world.folder, `copy-${++copies}`)
  await cp(fileURLToPath(from.uri), folder, { recursive: true })
  return new FilesystemStore(folder)
}

/** The store as it is without what is deleted in it: a copy that costs nothing. */
function deletingAside(store: Store): Store {
  const gone = new Set<string>()
  return wrapped(store, {
    async *list(options) {
      for await (const object of store.list(options)) if (!gone.has(object.key)) yield object
    },
    head: async (key) => (gone.has(key) ? undefined : store.head(key)),
    get: async (key, options) => (gone.has(key) ? undefined : store.get(key, options)),
    delete: async (key) => void gone.add(key),
  })
}

/** A whole run without a queue, in shards of two. */
async function completed(changes: { prune?: boolean; keepRuns?: number; to?: Store } = {}): Promise<void> {
  const { dataset } = world
  const { prune = false, keepRuns, to = output } = changes
  const [latest, base] = [await latestRun(output, set.id), await currentRun(output, set.id)]
  const run = await openRun({ output, set: set.id, base, full: false, prune, keepRuns, latest, now: new Date() })
  const manifest = new Manifest(output, set.id, run.run)
  await enumerate({
    dataset,
    adapter: openAdapter(set.options.adapter),
    manifest,
    state: stateRows(output, set.id, base, ['key', 'fingerprint', 'status', 'code']),
    full: false,
    shardSize: 2,
    signal: new AbortController().signal,
    onPart: () => Promise.resolve(),
    onListed: () => undefined,
  })
  for await (const { header, entries } of manifest.parts()) {
    for (const shard of shardsOf(header)) await computeShard(output, set, { run: run.run, ...shard })
    for (const { key } of entries()) await output.put(`${set.id}/${layout.map('yaw', key)}`, key)
  }
  await finalize({
    output: to,
    openDataset: () => dataset,
    set,
    run,
    state: 'completed',
    prune,
    keepRuns,
    work: { engines: [], imagesPerSecond: null },
    headlightVersion: '0.0.0',
    patience: noPatience,
    confirmHold: () => Promise.resolve(),
    log: silent,
  })
}

/** Everything below the runs, by the run's number in the history; `0/…` is the first. */
async function files(store = output): Promise<string[]> {
  const prefix = layout.runs(set.id)
  const keys = await collected(store.list({ prefix }))
  return keys.map(({ key }) => {
    const [run = '', ...rest] = key.slice(prefix.length).split('/')
    return `${runs.indexOf(run)}/${rest.join('/')}`
  })
}

const of = async (run: number) =>
  (await files()).filter((name) => name.startsWith(`${run}/`)).map((name) => name.slice(2))

interface Said {
  infos: string[]
  warnings: string[]
}

/** Removes, and gives what was said. */
async function keep(keepRuns: number, store = output, signal = new AbortController().signal): Promise<Said> {
  const said: Said = { infos: [], warnings: [] }
  const log = silent.child({})
  log.info = (...words: unknown[]) => void said.infos.push(String(words.at(-1)))
  log.warn = (...words: unknown[]) => void said.warnings.push(String(words.at(-1)))
  await removeOldRuns({ output: store, set: set.id, keepRuns, signal, log })
  return said
}

const trend = ['failures.csv', 'run.json', 'summary.json']
const changed = ['aggregates.json', ...trend]
const pair = (name: string): string[] => [`records/${name}.input`, `records/${name}.jsonl`, `records/${name}.mag`]

describe('runs that are not kept whole', () => {
  it('keep their trend and what rows of the state need, and nothing else', async () => {
    const mark = samplesMark([false, true])
    const first = runs[0] ?? ''
    // Another worker met other faults in the second shard.
    const stray = samplesMark([true, false])
    await output.put(layout.magnitudeFile(set.id, first, 0, 2, stray), 'maps')
    await output.put(layout.inputFile(set.id, first, 0, 2, stray), 'inputs')
    const whole = await of(4)
    const { infos, warnings } = await keep(1)
    expect(await of(0)).toEqual(
      [
        ...pair('00000-000000'),
        `records/00000-000002.${mark}.input`,
        `records/00000-000002.${mark}.mag`,
        'records/00000-000002.jsonl',
        ...pair('00000-000004'),
        ...changed,
      ].sort(),
    )
    expect(await of(1)).toEqual([...pair('00000-000000'), ...changed].sort())
    // Its manifest says that d.png is gone, which a later --prune will want to know.
    expect(await of(2)).toEqual(
      [...pair('00000-000000'), 'manifest/00000.jsonl.gz', 'manifest/done', ...changed].sort(),
    )
    expect(await of(3)).toEqual(trend)
    expect(await of(4)).toEqual(whole)
    expect(warnings).toEqual([])
    expect(infos).toEqual([expect.stringMatching(/^\d+ files of 4 older runs were removed: [\d.]+ MB$/)])
  })

  it('are those before the newest N that changed something', async () => {
    const before = await files()
    await keep(2)
    // The fourth changed nothing and is none of the two.
    const after = await files()
    expect(after.filter((name) => /^[234]/.test(name))).toEqual(before.filter((name) => /^[234]/.test(name)))
    expect(await of(1)).toEqual([...pair('00000-000000'), ...changed].sort())
  })

  it('are told from the others by requests side by side, 16 at most, and of none without need', async () => {
    for (let i = 10; i < 40; i++) await output.put(layout.runTable(set.id, `30${i}0101T000000Z-000000`), 'table')
    let asked = 0
    let underWay = 0
    let most = 0
    const watched = wrapped(output, {
      head: async (key) => {
        if (!key.endsWith('.parquet')) return output.head(key)
        asked++
        most = Math.max(most, ++underWay)
        return output.head(key).finally(() => underWay--)
      },
    })
    await keep(3, watched)
    expect([asked, most]).toEqual([5, 3])
    asked = 0
    await keep(31, watched)
    expect(most).toBe(16)
    expect(asked).toBeLessThanOrEqual(31 + 15 + 1)
  })

  it('are none where so many are kept as there are, or more', async () => {
    const before = await files()
    await keep(4)
    await keep(100)
    expect(await files()).toEqual(before)
  })

  it('leave all maps that the state needs where its places say', async () => {
    await keep(1)
    const state = runs[4] ?? ''
    const rows = await collected(stateRows(output, set.id, state, ['key', 'status']))
    const places = await openMapPlaces(output, set.id, state)
    const objectives = set.options.objectives.length
    const found: boolean[] = []
    for await (const place of places?.places() ?? []) {
      const small = place && (await readSmallMaps(output, set.id, objectives, place.file))
      found.push(small?.hasInputs === true)
    }
    expect(found).toEqual(rows.map(({ status }) => status === 'ok'))
  })

  it('are trimmed as well where they are of an earlier version, once it is known where the state has its maps', async () => {
    // Such a run has no places, sums or inputs, and calls small maps by the plain name whatever is in them.
    for (const run of runs) {
      const prefix = layout.records(set.id, run)
      for (const key of [layout.mapPlaces, layout.atlas, layout.inputAtlas, layout.aggregates].map((of) =>
        of(set.id, run),
      ))
        await output.delete(key)
      for (const { key } of await collected(output.list({ prefix }))) {
        if (key.endsWith('.input')) await output.delete(key)
        const [, shard] = /^(.*\d-\d+)\.[0-9a-f]+\.mag$/.exec(key) ?? []
        if (shard === undefined) continue
        await output.put(`${shard}.mag`, (await output.get(key))?.bytes ?? '')
        await output.delete(key)
      }
    }
    await completed({ keepRuns: 1 })
    const [, ...trendThen] = changed
    expect(await of(0)).toEqual(
      ['000000', '000002', '000004']
        .flatMap((offset) => [`records/00000-${offset}.jsonl`, `records/00000-${offset}.mag`])
        .concat(trendThen)
        .sort(),
    )
    expect(await of(4)).toEqual(
      expect.arrayContaining(['aggregates.json', 'angles.parquet', 'atlas.bin', 'map-places.bin']),
    )
  })

  it('do not include the state, nor what an open run started from', async () => {
    const open = async (base: string) => {
      const latest = await latestRun(output, set.id)
      await openRun({ output: output, set: set.id, base, full: false, latest, now: new Date() })
    }
    const before = await of(2)
    await open(runs[2] ?? '')
    await keep(1)
    expect(await of(2)).toEqual(before)
    expect(await of(1)).not.toContain('angles.parquet')
  })

  it('do not include the state where somebody has set it back', async () => {
    const before = [await of(0), await of(1)]
    await publish(output, set.id, runs[1] ?? '')
    await keep(1)
    expect(await of(1)).toEqual(before[1])
    expect(await of(2)).not.toContain('angles.parquet')
    // Its rows have most of their maps there.
    expect((await of(0)).filter((name) => name.includes('.jsonl')).length).toBe(4)
  })
})

describe('manifests', () => {
  it('stay as long as a later --prune needs them, which then still finds what is gone', async () => {
    const maps = async () => (await collected(output.list({ prefix: `${set.id}/maps/yaw/` }))).map(({ key }) => key)
    const gone = `${set.id}/${layout.map('yaw', 'd.png')}`
    await keep(1)
    expect(await maps()).toContain(gone)
    await completed({ prune: true })
    expect(await maps()).not.toContain(gone)
    await keep(1)
    expect(await of(2)).not.toContain('manifest/done')
  })
})

describe('what disturbs the removing', () => {
  it('loses nothing, wherever it dies: the next time ends as it would have', async () => {
    const quiet = deletingAside(output)
    await keep(1, quiet)
    const removed = (await files()).length - (await files(quiet)).length
    expect(removed).toBeGreaterThan(16)
    const expected = await files(quiet)
    for (let n = 1; n <= removed; n++) {
      const store = deletingAside(output)
      let deletes = 0
      const dying = wrapped(store, {
        delete: async (key) => {
          if (++deletes >= n) throw new Error('died')
          return store.delete(key)
        },
      })
      await expect(keep(1, dying)).rejects.toThrow('died')
      await keep(1, store)
      expect(await files(store)).toEqual(expected)
    }
  })

  it('ends with a run that changes nothing', async () => {
    let deletes = 0
    const dying = wrapped(output, {
      delete: async (key) => {
        if (++deletes > 5) throw new Error('died')
        return output.delete(key)
      },
    })
    await expect(keep(1, dying)).rejects.toThrow('died')
    await completed({ keepRuns: 1 })
    expect(await of(0)).not.toContain('angles.parquet')
    expect(await of(1)).toEqual([...pair('00000-000000'), ...changed].sort())
    expect(await of(3)).toEqual(trend)
  })

  it('is a warning that says what to allow where a removal is refused, and no failed run', async () => {
    for (const refusal of [
      new InputError('access-denied', 'cannot delete it'),
      new PlaceError('credentials-expired', 'refuses what it allowed before'),
    ]) {
      const refusing = wrapped(output, { delete: () => Promise.reject(refusal) })
      const { infos, warnings } = await keep(1, refusing)
      expect(infos).toEqual([])
      expect(warnings).toEqual([expect.stringContaining('must be allowed to delete tables')])
    }
    await completed({
      keepRuns: 1,
      to: wrapped(output, { delete: () => Promise.reject(new InputError('access-denied', 'no')) }),
    })
    expect((await latestRun(output, set.id))?.state).toBe('completed')
  })

  it('is waited out where the store is busy', async () => {
    let faults = 0
    const busy = wrapped(output, {
      delete: (key) =>
        faults++ % 2 === 0 ? Promise.reject(new TransientError('store-busy', 'later')) : output.delete(key),
    })
    const { signal } = new AbortController()
    const patience = new Patience({
      signal,
      say: () => undefined,
      times: { firstMs: 1, longestMs: 1, limitMs: 60_000 },
    })
    expect(await keep(1, new PatientStore(busy, patience))).toMatchObject({ warnings: [] })
    expect(await of(3)).toEqual(trend)
  })

  it('stops at once when the hold is lost', async () => {
    const lost = new AbortController()
    let deletes = 0
    const losing = wrapped(output, {
      delete: (key) => {
        deletes++
        lost.abort(new Error('the hold is lost'))
        return output.delete(key)
      },
    })
    await expect(keep(1, losing, lost.signal)).rejects.toThrow('the hold is lost')
    expect(deletes).toBeLessThanOrEqual(16)
  })

  it.each(['is not there', 'is another version’s'])(
    'removes nothing where the state’s file of places %s',
    async (how) => {
      const key = layout.mapPlaces(set.id, runs[4] ?? '')
      if (how === 'is not there') await output.delete(key)
      else await output.put(key, 'something else')
      const before = await files()
      expect((await keep(1)).warnings).toEqual([expect.stringContaining('removes nothing yet')])
      expect(await files()).toEqual(before)
    },
  )
})

describe('who reads the table of an old run', () => {
  it('is told why there is none', async () => {
    const read = (run: number) => collected(stateRows(output, set.id, runs[run] ?? ''))
    await keep(1)
    await expect(read(0)).rejects.toThrow(/runs\/.* has no table any more: --keep-runs removed it/)
    await expect(read(3)).rejects.toThrow('changed nothing')
    await output.delete(layout.runTable(set.id, runs[4] ?? ''))
    await expect(read(4)).rejects.toThrow('restore it')
  })
})

it('ends where a run is closed that no producer serves, and another takes the hold meanwhile', async () => {
  const latest = await latestRun(output, set.id)
  const base = await currentRun(output, set.id)
  const run = await openRun({ output, set: set.id, base, full: false, keepRuns: 1, latest, now: new Date() })
  const taker = { run: null, host: 'another', bootId: 'b', pid: 1, processStart: '1' }
  const taken = wrapped(output, {
    // Waited for until the hold is found lost; else removing would end with a warning.
    delete: async () => {
      await output.put(layout.hold(set.id), JSON.stringify({ ...taker, heartbeatAt: new Date().toISOString() }))
      throw new TransientError('store-busy', 'busy')
    },
  })
  const closing = closeCancelled({
    output: taken,
    set,
    run,
    openDataset: () => world.dataset,
    headlightVersion: '0.0.0',
    signal: new AbortController().signal,
    onWait: () => undefined,
    log: silent,
    times: { hold: { heartbeatMs: 5, staleMs: 10_000 }, store: { firstMs: 1, longestMs: 5, limitMs: 3_000 } },
  })
  await expect(closing).rejects.toMatchObject({ code: 'held' })
})
