import { describe, expect, it } from 'vitest'
import { rowColumns } from '../../../../src/serve/client/browse/rowColumns.ts'
import { measureNames, type Measure } from '../../../../src/serve/measures.ts'
import type { Facets } from '../../../../src/serve/wire.ts'

const counts = (...names: string[]) => ({ named: names.map((name) => [name, 1] as const), more: 0 })

function facets(known: readonly Measure[], failed = 0): Facets {
  return {
    total: 9,
    count: 9,
    failed,
    meanError: null,
    measures: known.map((measure) => ({ measure, least: 0, greatest: 1, bins: [9] })),
    subjects: counts('', 'person 12'),
    sequences: counts(''),
    codes: counts('no-face'),
  }
}

const known = measureNames.filter((name) => !/[cC]lass/.test(name))
const namesOf = (...given: Parameters<typeof rowColumns>) => rowColumns(...given).map(({ name }) => name)

describe('the columns of the table', () => {
  it('begin with what the images are sorted by, whatever that is', () => {
    for (const measure of known) expect(rowColumns(facets(known), measure)[0]?.measure).toBe(measure)
    expect(namesOf(facets(known), 'errorYaw').slice(0, 3)).toEqual(['yaw error', 'subject', 'mean error'])
    expect(namesOf(facets(known), 'key')[0]).toBe('subject')
  })

  it('are those in which some image has anything, each once', () => {
    const names = namesOf(facets(['yaw', 'poseYaw']), 'yaw')
    expect(names).toEqual(['yaw', 'subject'])
    expect(namesOf(facets(['yaw']), 'key')).toEqual(['subject', 'yaw'])
    const all = namesOf(facets(measureNames), 'poseRoll')
    expect(new Set(all).size).toBe(all.length)
  })

  it('hold codes only where something has failed', () => {
    expect(namesOf(facets(known), 'key')).not.toContain('failed')
    expect(namesOf(facets(known, 1), 'key')).toContain('failed')
  })

  it('are as wide as the longest name', () => {
    expect(rowColumns(facets([]), 'key')).toMatchObject([{ name: 'subject', width: 10 }])
  })
})
