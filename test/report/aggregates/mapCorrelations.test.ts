import { expect, it } from 'vitest'
import { toFloat16 } from '../../../src/base/float16.ts'
import { mapPixels } from '../../../src/output/poseMaps.ts'
import { halfPatterns } from '../../../src/output/smallMaps.ts'
import { mapCorrelations } from '../../../src/report/aggregates/mapCorrelations.ts'
import { MagnitudeSums } from '../../../src/report/aggregates/poseSums.ts'

const objectives = ['yaw', 'pitch', '-yaw']
const ramp = (i: number) => i / 1024
const flat = () => 1 / 1024

/** What a summary says of rows, each with a map for each objective. */
function correlationsOf(rows: readonly (readonly ((i: number) => number)[])[]) {
  const sums = new MagnitudeSums(objectives.slice(0, rows[0]?.length))
  for (const maps of rows) {
    const values = maps.flatMap((map) => Array.from({ length: mapPixels }, (_, i) => map(i)))
    sums.add(0, halfPatterns(toFloat16(Float32Array.from(values))))
  }
  return mapCorrelations(sums.finish())
}

it('are means over images of Pearson correlations, one per pair in the order of the objectives', () => {
  const { mapCorrelations: found, mapCorrelationImages } = correlationsOf([
    [ramp, (i) => 0.25 + 2 * ramp(i), (i) => 1 - ramp(i)],
    [ramp, (i) => 1 - ramp(i), (i) => 1 - ramp(i)],
  ])
  expect(Object.keys(found)).toEqual(['yaw~pitch', 'yaw~-yaw', 'pitch~-yaw'])
  expect(found['yaw~pitch']).toBeCloseTo(0)
  expect(found['yaw~-yaw']).toBeCloseTo(-1)
  expect(found['pitch~-yaw']).toBeCloseTo(0)
  expect(mapCorrelationImages).toEqual({ 'yaw~pitch': 2, 'yaw~-yaw': 2, 'pitch~-yaw': 2 })
})

it('leave a constant map out', () => {
  expect(
    correlationsOf([
      [ramp, ramp],
      [ramp, flat],
    ]),
  ).toEqual({
    mapCorrelations: { 'yaw~pitch': expect.closeTo(1) },
    mapCorrelationImages: { 'yaw~pitch': 1 },
  })
})

it('are none with a single objective', () => {
  expect(correlationsOf([[ramp]])).toEqual({ mapCorrelations: {} })
})
