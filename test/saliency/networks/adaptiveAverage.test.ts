import { expect, test } from 'vitest'
import { evaluate } from '../../../src/saliency/engines/reference.ts'
import { adaptiveAverage } from '../../../src/saliency/networks/adaptiveAverage.ts'
import { make } from '../../../src/saliency/ops.ts'

const side = 3

/** The pixels of window number `to` of `length` pixels: AdaptiveAvgPool2d's formula, as in PyTorch's source. */
function pixelsOf(to: number, length: number): number[] {
  const [start, end] = [Math.floor((to * length) / side), Math.ceil(((to + 1) * length) / side)]
  return Array.from({ length: end - start }, (_, i) => start + i)
}

function expected(values: Float64Array, planes: number, height: number, width: number): number[] {
  const means: number[] = []
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const inside = pixelsOf(row, height).flatMap((y) =>
          pixelsOf(column, width).map((x) => values[(plane * height + y) * width + x] ?? NaN),
        )
        means.push(inside.reduce((sum, value) => sum + value, 0) / inside.length)
      }
    }
  }
  return means
}

test.each([
  [6, 9],
  [7, 3],
  [3, 5],
  [2, 1],
  [8, 10],
])('of %i × %i is what windows that may overlap give', (height, width) => {
  const x = make('input', [], { name: 'x', shape: [2, 2, height, width], dtype: 'float32' })
  const values = Float64Array.from({ length: 4 * height * width }, (_, i) => (i * 37) % 101)
  const y = evaluate({ outputs: new Map([['y', adaptiveAverage(side, x)]]) }, new Map([['x', values]])).get('y')
  const wanted = expected(values, 4, height, width)
  expect(y).toHaveLength(wanted.length)
  // A window's share of each pixel is a float32.
  for (const [i, value] of wanted.entries()) expect(Math.abs((y?.[i] ?? NaN) - value)).toBeLessThan(1e-5)
})

test('of the size itself is what it was', () => {
  const x = make('input', [], { name: 'x', shape: [1, 2, side, side], dtype: 'float32' })
  expect(adaptiveAverage(side, x)).toBe(x)
})
