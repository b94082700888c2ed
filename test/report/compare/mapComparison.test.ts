import { describe, expect, it } from 'vitest'
import { toFloat16 } from '../../../src/base/float16.ts'
import { layout } from '../../../src/output/layout.ts'
import { mapPixels } from '../../../src/output/poseMaps.ts'
import type { ComparedRow } from '../../../src/report/compare/comparedRow.ts'
import type { ComparedPair } from '../../../src/report/compare/comparisonSums.ts'
import { MapComparison } from '../../../src/report/compare/mapComparison.ts'
import { wrapped } from '../../../src/storage/wrapped.ts'
import { resultSetOf } from '../../support/comparedOutput.ts'
import { memoryOutput } from '../../support/memoryOutput.ts'

const setA = resultSetOf({ id: 'a-all-00000001' })
const setB = resultSetOf({ id: 'b-all-00000002' })
const { signal } = new AbortController()

/** A night's file for each of `nights`, of `count` maps; row i has its map in the file of night i % nights. */
async function putNights(output: ReturnType<typeof memoryOutput>, set: string, nights: number, count: number) {
  for (let night = 0; night < nights; night++) {
    const maps = Array.from({ length: count }, (_, slot) => {
      const map = new Float32Array(mapPixels).fill(1 / mapPixels)
      // The maps of A and of B have their peaks in the same cell in every second row only.
      const row = slot * nights + night
      map[set === setB.id && row % 2 === 1 ? 1 : 0] = 0.5
      return toFloat16(map)
    })
    await output.put(layout.magnitudeFile(set, `night-${night}`, 0, 0), Buffer.concat(maps))
  }
  const files = Array.from({ length: nights }, (_, night) => ({
    run: `night-${night}`,
    part: 0,
    offset: 0,
    samples: '',
    count,
    hasInputs: true,
  }))
  return (row: number) => ({ file: files[row % nights]!, slot: Math.floor(row / nights) })
}

async function nightsCompared(batchPairs?: number) {
  const output = memoryOutput()
  const [nights, count] = [40, 5]
  const placeA = await putNights(output, setA.id, nights, count)
  const placeB = await putNights(output, setB.id, nights - 1, count + 1)
  const asked = new Map<string, number>()
  const watched = wrapped(output, {
    get: (key, options) => {
      asked.set(key, (asked.get(key) ?? 0) + 1)
      return output.get(key, options)
    },
  })
  const [a, b] = [setA, setB].map((set) => ({ output: watched, set, run: 'night-39', stateRun: 'night-39' }))
  const maps = new MapComparison(a!, b!, signal, batchPairs)
  const pairs = Array.from({ length: nights * count }, (_, row): ComparedPair => {
    const of = (place: ComparedRow['place']) => ({ key: String(row).padStart(3, '0'), place }) as ComparedRow
    return { a: of(placeA(row)), b: of(placeB(row)) }
  })
  for (const pair of pairs) await maps.add(pair)
  const found = await maps.finish()
  return { found, asked, pairs, maps }
}

describe('maps of many nights, whose rows alternate between their files', () => {
  it('are read file by file, each once, and no file of inputs', async () => {
    const { asked } = await nightsCompared()
    expect(asked.size).toBe(40 + 39)
    expect([...asked.values()].every((times) => times === 1)).toBe(true)
    expect([...asked.keys()].every((key) => key.endsWith('.mag'))).toBe(true)
  })

  it('are read once for each batch, whose size changes no number', async () => {
    const whole = await nightsCompared()
    const batched = await nightsCompared(64)
    expect(Math.max(...batched.asked.values())).toBeLessThanOrEqual(Math.ceil(200 / 64))
    expect(batched.found).toEqual(whole.found)
    expect(whole.found.likeness).toMatchObject({ same: 0, missing: 0, objectives: { yaw: { n: 200 } } })
    // Of equally unlike ones those that come first, whatever the order of the files.
    const unlike = whole.found.leastAlike.map(({ a }) => Number(a.key))
    expect(unlike).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i + 1))
    const likenesses = await batched.maps.likenesses(batched.pairs.slice(0, 100))
    expect(likenesses.map((likeness) => (likeness ?? 0) > 0.99)).toEqual(
      batched.pairs.slice(0, 100).map((_, row) => row % 2 === 0),
    )
  })
})
