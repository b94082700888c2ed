import { expect, it } from 'vitest'
import { magnitudeBlock, magnitudeBytes, magnitudeMaps } from '../../src/output/magnitudeFile.ts'

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
  expect([...magnitudeMaps(file, objectives)]).toEqual(
    [1, 3].map(
      (scale) =>
        new Map([
          ['yaw', magnitude(scale)],
          ['-yaw', magnitude(2 * scale)],
        ]),
    ),
  )
})
