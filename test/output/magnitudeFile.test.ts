import { expect, it } from 'vitest'
import { float16Values } from '../../src/base/float16.ts'
import { magnitudeBlock, magnitudeBytes } from '../../src/output/magnitudeFile.ts'
import { halfPatterns, SmallMaps } from '../../src/output/smallMaps.ts'

const objectives = ['yaw', '-yaw']
/** Halves hold these exactly. */
const magnitude = (scale: number) => Float32Array.from({ length: 784 }, (_, i) => (scale * (i % 8)) / 1024)
const explanation = (scale: number) => {
  const shown = { map: new Uint8Array(), gradient: null, mean: 0, std: 0, maxAbs: 0 }
  return {
    angles: { yaw: 0, pitch: 0, roll: 0 },
    outputs: {},
    objectives: {
      yaw: { ...shown, magnitude: magnitude(scale) },
      '-yaw': { ...shown, magnitude: magnitude(2 * scale) },
    },
  }
}

it('maps are read as they were written, also from the middle of a buffer', () => {
  const blocks = [1, 3].map((scale) => magnitudeBlock(explanation(scale), objectives))
  const file = Buffer.concat([Buffer.alloc(1), ...blocks]).subarray(1)
  expect(file.byteLength).toBe(2 * objectives.length * magnitudeBytes)
  const span = new SmallMaps(objectives.length, halfPatterns(file), undefined)
  const values = float16Values()
  for (const [i, scale] of [1, 3].entries()) {
    const maps = Array.from(span.at(i).magnitudes, (bits) => values[bits])
    expect(maps).toEqual([...magnitude(scale), ...magnitude(2 * scale)])
  }
})
