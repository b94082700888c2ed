import { describe, expect, it } from 'vitest'
import { layout } from '../../../src/output/layout.ts'
import type { ResultSet } from '../../../src/output/resultSet.ts'
import { compareTables } from '../../../src/report/compare/compareTables.ts'
import { wrapped } from '../../../src/storage/wrapped.ts'
import {
  placeIn,
  putComparedRun,
  resultSetOf,
  runIds,
  type ComparedSample,
  type Triple,
} from '../../support/comparedOutput.ts'
import { memoryOutput } from '../../support/memoryOutput.ts'

const { signal } = new AbortController()
const setA = resultSetOf({ id: 'a-all-00000001', network: 'a.pkl' })
const setB = resultSetOf({ id: 'b-all-00000002', network: 'b.pkl' })

/** Two result sets of one output, compared. */
async function compared(
  samplesA: readonly ComparedSample[],
  samplesB: readonly ComparedSample[],
  sets: readonly [ResultSet, ResultSet] = [setA, setB],
  options: { hasPlaces?: boolean } = {},
) {
  const output = memoryOutput()
  await putComparedRun(output, sets[0], samplesA, options)
  await putComparedRun(output, sets[1], samplesB, options)
  const [a, b] = sets.map((set) => ({ output, set, run: runIds[0], stateRun: runIds[0] }))
  return (await compareTables({ a: a!, b: b!, notes: [], signal, onProgress: () => undefined })).comparison
}

const zero: Triple = [0, 0, 0]
const image = (key: string, estimate: Triple, more: Partial<ComparedSample> = {}): ComparedSample => ({
  key,
  estimate,
  label: zero,
  ...more,
})

describe('the images of two tables', () => {
  it('are compared where both have the same and neither failed; all others are counted by what they are', async () => {
    const { images, all, apart, failures, a, b } = await compared(
      [
        image('a1', [4, 0, 0]),
        image('both', [2, 0, 0]),
        image('changed', [1, 0, 0]),
        { key: 'failed', failed: 'corrupt-image' },
        { key: 'failedA', failed: 'bad-label' },
        image('failedB', zero),
        image('x', zero, { label: [120, 0, 0] }),
      ],
      [
        image('b1', [8, 0, 0]),
        image('both', [3, 0, 0]),
        image('changed', [6, 0, 0], { fingerprint: 'another' }),
        { key: 'failed', failed: 'corrupt-image' },
        image('failedA', zero),
        { key: 'failedB', failed: 'not-finite' },
        image('x', zero, { label: [120, 0, 0] }),
        image('z', [10, 0, 0]),
      ],
    )
    expect(images).toEqual({
      compared: 2,
      changed: 1,
      onlyA: 1,
      onlyB: 2,
      failedBoth: 1,
      failedOnlyA: 1,
      failedOnlyB: 1,
      otherLabel: 0,
      otherCrop: 0,
      beyondLabelLimit: 1,
    })
    expect(all).toMatchObject({ n: 2, errors: { n: 1, yaw: { a: 2, b: 3 } } })
    expect(apart.onlyA).toMatchObject({ n: 1, errors: { n: 1, mae: { yaw: 4 } } })
    expect(apart.onlyB).toMatchObject({ n: 2, errors: { n: 2, mae: { yaw: 9 }, bias: { yaw: 9 } } })
    expect(apart.changedA).toMatchObject({ n: 1, errors: { mae: { yaw: 1 } } })
    expect(apart.changedB).toMatchObject({ n: 1, errors: { mae: { yaw: 6, mean: 2 } } })
    expect(failures.onlyA).toEqual([
      { code: 'bad-label', count: 1, examples: [{ key: 'failedA', message: 'bad-label it is' }] },
    ])
    expect(failures.onlyB).toMatchObject([{ code: 'not-finite', count: 1 }])
    expect([a.all.n, a.all.failed, b.all.n, b.all.failed]).toEqual([7, 2, 8, 2])
  })

  it('are found in the order of their UTF-8 bytes', async () => {
    // JavaScript orders the two the other way round.
    const keys = ['\u{ff5e}', '\u{1f600}']
    const { images } = await compared(
      keys.map((key) => image(key, zero)),
      keys.slice(1).map((key) => image(key, zero)),
    )
    expect(images).toMatchObject({ compared: 1, onlyA: 1, onlyB: 0 })
  })

  it('that are none of the other table are refused, with a first key of each', async () => {
    await expect(compared([image('left.png', zero)], [image('right.png', zero)])).rejects.toMatchObject({
      code: 'nothing-shared',
      message: expect.stringMatching(/left\.png.*right\.png/),
    })
  })

  it.each([
    ['table', layout.runTable],
    ['places', layout.mapPlaces],
  ] as const)(
    'cannot be read to the end when --keep-runs removes the %s, which is then named as the likely cause',
    async (_, of) => {
      const output = memoryOutput()
      await putComparedRun(output, setA, [image('k', zero, { maps: [0.5] })])
      const key = of(setA.id, runIds[0])
      let times = 0
      const get: typeof output.get = (asked, options) => {
        // Its end has been read, which says where the rest is.
        if (asked === key && ++times === 2) output.objects.delete(key)
        return output.get(asked, options)
      }
      const table = { output: wrapped(output, { get }), set: setA, run: runIds[0], stateRun: runIds[1] }
      const call = compareTables({ a: table, b: table, notes: [], signal, onProgress: () => undefined })
      await expect(call).rejects.toMatchObject({
        code: 'held',
        message: expect.stringMatching(/was removed while it was read; --keep-runs removes those of older runs/),
      })
    },
  )

  it('are left at once when the comparison is interrupted', async () => {
    const output = memoryOutput()
    await putComparedRun(output, setA, [image('k', zero)])
    const table = { output, set: setA, run: runIds[0], stateRun: runIds[0] }
    const stopped = AbortSignal.abort(new Error('interrupted'))
    const call = compareTables({ a: table, b: table, notes: [], signal: stopped, onProgress: () => undefined })
    await expect(call).rejects.toThrow('interrupted')
  })
})

describe('errors', () => {
  it('are means of |error| over the same images, and each difference is B − A', async () => {
    const { all, intervals } = await compared(
      [image('1', [-3, 1, 0]), image('2', [5, 1, 0]), image('onlyA', [90, 0, 0])],
      [image('1', [1, -2, 3]), image('2', [4, 2, 3])],
    )
    expect(all.errors).toMatchObject({
      n: 2,
      yaw: { a: 4, b: 2.5, delta: -1.5, biasA: 1, biasB: 2.5 },
      pitch: { a: 1, b: 2, delta: 1, biasA: 1, biasB: 0 },
      roll: { a: 0, b: 3, delta: 3 },
    })
    expect(all.errors?.mean.a).toBeCloseTo(5 / 3, 12)
    expect(all.errors?.mean.b).toBeCloseTo(2.5, 12)
    expect(all.errors?.geodesic?.a).toBeCloseTo(4.12, 1)
    // Of two images with differences of −2 and −1.
    expect(intervals.yaw).toEqual({ low: -2, high: -1 })
  })

  it('are of the angles that both networks give', async () => {
    const yawOnly = resultSetOf({ id: 'y-all-00000003', network: 'y.pkl', angles: ['yaw'] })
    const { all, intervals, disagreement } = await compared(
      [image('1', [3, 9, 9])],
      [image('1', [1, 0, 0])],
      [setA, yawOnly],
    )
    expect(all.errors).toMatchObject({ yaw: { a: 3, b: 1 }, mean: { a: 3, b: 1, delta: -2 } })
    expect(Object.keys(all.errors ?? {})).toEqual(['n', 'yaw', 'mean'])
    expect(Object.keys(intervals)).toEqual(['yaw', 'mean'])
    expect(disagreement).toEqual({ n: 1, mean: { yaw: 2, mean: 2 }, shift: { yaw: -2 } })
  })

  it('are absent without labels: estimates are held against each other', async () => {
    const unlabelled = { label: null }
    const comparison = await compared(
      [image('1', [170, 0, 0], unlabelled), image('2', [0, 4, 0], unlabelled)],
      [image('1', [-170, 0, 0], unlabelled), image('2', [0, 1, 0], unlabelled)],
    )
    expect(comparison.all).toEqual({ n: 2, errors: null, disagreement: (20 / 3 + 1) / 2 })
    expect(comparison.intervalBasis).toBeNull()
    // Over the ±180° of a circle the two yaws are 20° apart, not 340°.
    expect(comparison.disagreement).toMatchObject({
      n: 2,
      mean: { yaw: 10, pitch: 1.5 },
      shift: { yaw: 10, pitch: -1.5 },
    })
    expect(comparison.largest.map(({ key, delta }) => [key, delta])).toEqual([
      ['1', null],
      ['2', null],
    ])
    expect(comparison.placedBy).toEqual({ label: 0, estimate: 2, none: 0 })
  })

  it('by pose show a network that is worse at large yaw, and only there', async () => {
    const yaws = [-80, -65, -50, -20, -5, 5, 20, 50, 65, 80]
    const samples = (off: (yaw: number) => number) =>
      yaws
        .map((yaw) => image(`${yaw}`, [yaw + off(yaw), 0, 0], { label: [yaw, 0, 0] }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
    const { bands, cells } = await compared(
      samples(() => 1),
      samples((yaw) => (Math.abs(yaw) >= 60 ? 10 : 1)),
    )
    expect(bands.map(({ from, n, errors }) => [from, n, errors?.yaw?.delta])).toEqual([
      [0, 2, 0],
      [15, 2, 0],
      [45, 2, 0],
      [60, 2, 9],
      [75, 2, 9],
    ])
    expect(cells.filter(({ errors }) => (errors?.mean.delta ?? 0) > 1).map(({ yaw }) => yaw)).toEqual([
      -90, -75, 60, 75,
    ])
  })

  it('by |yaw| are in the band that begins with theirs, on either side', async () => {
    const samples = [-30, -15, 0, 15].map((yaw, i) => image(`${i}`, [yaw + 1, 0, 0], { label: [yaw, 0, 0] }))
    const { bands, cells } = await compared(samples, samples)
    expect(bands.map(({ from, n }) => [from, n])).toEqual([
      [0, 1],
      [15, 2],
      [30, 1],
    ])
    expect(cells.map(({ yaw }) => yaw)).toEqual([-45, -30, 0, 15])
  })
})

describe('intervals resample', () => {
  const twoOf = (names: Partial<ComparedSample>[]) => {
    const samples = (size: number) =>
      names.flatMap((name, i) => [image(`${i}0`, [size * i, 0, 0], name), image(`${i}1`, [size * i, 0, 0], name)])
    return compared(samples(1), samples(2))
  }

  it('subjects where they are known, and sequences where only these are', async () => {
    const subjects = await twoOf([
      { subject: 's1', sequence: 'q1' },
      { subject: 's2', sequence: 'q2' },
      { subject: 's2', sequence: 'q3' },
    ])
    expect(subjects.intervalBasis).toMatchObject({
      unit: 'subject',
      units: 2,
      unnamed: 0,
      method: 'bootstrap',
      isFew: true,
    })
    // Two subjects: differences of 0 over two images, and of 1 and 2 over four.
    expect(subjects.intervals.yaw).toEqual({ low: 0, high: 1.5 })
    const sequences = await twoOf([{ sequence: 'q1' }, { sequence: 'q2' }, { sequence: 'q3' }])
    expect(sequences.intervalBasis).toMatchObject({ unit: 'sequence', units: 3 })
  })

  it('images where neither is known, and take unnamed ones for one unit more where some are', async () => {
    expect((await twoOf([{}, {}])).intervalBasis).toMatchObject({ unit: 'image', units: 4, isFew: true })
    expect((await twoOf([{ subject: 's1' }, {}, {}])).intervalBasis).toMatchObject({
      unit: 'subject',
      units: 2,
      unnamed: 4,
    })
  })

  it('nothing where there is one subject alone', async () => {
    const { intervals, intervalBasis } = await twoOf([{ subject: 's1' }, { subject: 's1' }])
    expect(intervalBasis).toMatchObject({ unit: 'subject', units: 1 })
    expect(intervals).toEqual({ yaw: null, pitch: null, roll: null, mean: null, geodesic: null })
  })
})

describe('subjects and sequences', () => {
  it('are told with those first whose error changed most', async () => {
    const samples = (errors: readonly number[]) =>
      errors.map((error, i) => image(`${i}`, [error, 0, 0], i === 3 ? {} : { subject: `s${i}` }))
    const { subjects } = await compared(samples([1, 1, 1, 1]), samples([2, 9, 1, 5]))
    expect(subjects.named.map(({ name, errors }) => [name, errors?.yaw?.delta])).toEqual([
      ['s1', 8],
      ['s0', 1],
      ['s2', 0],
    ])
    expect(subjects).toMatchObject({ others: null, unnamed: { n: 1 } })
  })

  it('beyond the 200 largest are told together', async () => {
    const samples = Array.from({ length: 205 }, (_, i) => image(String(i).padStart(3, '0'), zero, { subject: `s${i}` }))
    const { subjects } = await compared(samples, samples)
    expect(subjects.named).toHaveLength(200)
    expect(subjects.others).toMatchObject({ names: 5, isMore: false, n: 5 })
  })
})

describe('the largest changes', () => {
  it('are the fifty images whose mean error changed most, either way, without those that did not change', async () => {
    const samples = (sign: number) =>
      Array.from({ length: 60 }, (_, i) =>
        image(String(i).padStart(2, '0'), [30 + sign * (i % 2 === 0 ? i : -i) * 0.25, 0, 0]),
      )
    const { largest } = await compared(samples(0), samples(1))
    expect(largest).toHaveLength(50)
    expect(largest.slice(0, 2).map(({ key, delta }) => [key, delta])).toEqual([
      ['59', expect.closeTo(-59 / 12, 9)],
      ['58', expect.closeTo(58 / 12, 9)],
    ])
    expect((await compared(samples(0), samples(0))).largest).toEqual([])
  })
})

describe('where no image with a label changed', () => {
  it('the largest changes are those of estimates without one', async () => {
    const kept = image('labelled', [1, 0, 0], { maps: [0.5] })
    const moved = (yaw: number) => image('without', [yaw, 0, 0], { label: null, maps: [0.1 * yaw] })
    const { largest, largestBy } = await compared([kept, moved(1)], [kept, moved(9)])
    expect([largestBy, ...largest.map(({ key, disagreement }) => [key, disagreement])]).toEqual([
      'estimate',
      ['without', expect.closeTo(8 / 3, 9)],
    ])
  })
})

describe('small maps', () => {
  const withMaps = (values: readonly (number[] | undefined)[]) =>
    values.map((maps, i) => image(`${i}`, zero, maps === undefined ? {} : { maps }))

  it('correlate by objective that both have; images without one are counted', async () => {
    const sets = [
      resultSetOf({ id: 'a-all-00000001', objectives: ['yaw', 'pitch'] }),
      resultSetOf({ id: 'b-all-00000002', objectives: ['roll', 'yaw'] }),
    ] as const
    const { maps } = await compared(
      withMaps([
        [0.5, 0.1],
        [0.5, 0.1],
        [0.5, 0.1],
      ]),
      withMaps([[0.9, 0.5], [0.9, 0.5], undefined]),
      sets,
    )
    expect(maps).toMatchObject({ same: 0, missing: 1, objectives: { yaw: { n: 2 } } })
    expect(Object.keys(maps?.objectives ?? {})).toEqual(['yaw'])
    expect(maps?.objectives['yaw']?.mean).toBeCloseTo(1, 5)
    expect(maps?.objectives['yaw']?.p5).toBeCloseTo(0.9995, 4)
  })

  it('that are least alike are the largest changes where no estimate differs, as between two scopes', async () => {
    const alike = Array.from({ length: 55 }, () => [0.5])
    const { largest, largestBy } = await compared(
      withMaps([...alike, [0.5], [0.1]]),
      withMaps([...alike, [-0.5], [0.5]]),
    )
    expect(largestBy).toBe('maps')
    expect(largest.map(({ key, likeness }) => [key, likeness])).toEqual([
      ['55', expect.closeTo(-0.603258, 5)],
      ['56', expect.closeTo(0.930625, 5)],
    ])
  })

  it('of the images that changed most are told, too', async () => {
    const { largest, largestBy } = await compared(
      [image('1', [1, 0, 0], { maps: [0.1] })],
      [image('1', zero, { maps: [0.5] })],
    )
    expect([largestBy, largest[0]?.likeness]).toEqual(['error', expect.closeTo(0.930625, 5)])
  })

  it('that are not alike correlate as NumPy says', async () => {
    const { maps } = await compared(withMaps([[0.5]]), withMaps([[-0.5]]))
    // numpy.corrcoef of the two maps as float16.
    expect(maps?.objectives['yaw']?.mean).toBeCloseTo(-0.6032578197197048, 10)
  })

  it('of one file and slot are the very same, which is no likeness', async () => {
    const output = memoryOutput()
    await putComparedRun(output, setA, withMaps([[0.5], [0.2]]))
    const kept = image('0', zero, { place: placeIn(runIds[0], 0, 2) })
    await putComparedRun(output, setA, [kept, image('1', zero, { maps: [0.3] })], { run: runIds[1], base: runIds[0] })
    const [a, b] = [runIds[0], runIds[1]].map((run) => ({ output, set: setA, run, stateRun: runIds[1] }))
    const { comparison } = await compareTables({ a: a!, b: b!, notes: [], signal, onProgress: () => undefined })
    expect(comparison.maps).toMatchObject({ same: 1, missing: 0, objectives: { yaw: { n: 1 } } })
    expect([comparison.a.isState, comparison.b.isState]).toEqual([false, true])
    expect(comparison.differences).toEqual([])
  })

  it('of an earlier version lie nobody knows where, which is said with what makes up for it', async () => {
    const { maps, notes } = await compared(withMaps([[0.5]]), withMaps([[0.5]]), [setA, setB], { hasPlaces: false })
    expect(maps).toBeNull()
    expect(notes).toEqual([expect.stringContaining('headlight report memory://output/ makes up for it')])
  })
})

describe('what differs', () => {
  it('between two result sets is told fact by fact', async () => {
    const other = resultSetOf({
      id: 'c-none-00000003',
      network: 'c.pkl',
      scope: 'none',
      objectives: ['roll'],
      dataset: 's3://heads/',
    })
    const { differences, notes } = await compared(
      [image('1', zero)],
      [image('1', zero, { label: [1, 0, 0], crop: [0, 0, 48, 48] })],
      [setA, other],
    )
    expect(differences.map(({ what }) => what)).toEqual([
      'network file',
      'network, SHA-256',
      'scope',
      'objectives',
      'dataset',
    ])
    expect(differences[0]).toEqual({ what: 'network file', a: 'a.pkl', b: 'c.pkl' })
    expect(notes).toEqual([
      expect.stringContaining('1 image of the compared have other labels'),
      expect.stringContaining('other rectangles of 1 image'),
      expect.stringContaining('share no objective'),
    ])
  })
})
