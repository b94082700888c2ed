import { elements, type Shape } from '../../graph.ts'
import { rowMajorStrides } from '../../weights/storedTensor.ts'
import { NotImported } from './call.ts'

/** How to step through the numbers of a tensor that are laid out in another order, left out or repeated. */
export interface View {
  /** How many numbers one step along each axis goes; 0 where a number is repeated, below 0 for the reverse order. */
  readonly strides: readonly number[]
  /** Where the first number lies. */
  readonly start: number
}

/** A tensor of `from` repeated to `to`, as NumPy broadcasts. */
export function broadcastView(from: Shape, to: Shape): View {
  const own = rowMajorStrides(from)
  const lead = to.length - from.length
  return { strides: to.map((_, axis) => (from[axis - lead] === 1 ? 0 : (own[axis - lead] ?? 0))), start: 0 }
}

export function broadcastShape(shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map(({ length }) => length))
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = new Set(shapes.map((shape) => shape[axis - rank + shape.length] ?? 1))
    lengths.delete(1)
    const [length = 1, ...more] = lengths
    if (more.length > 0) throw new NotImported(`shapes ${shapes.map((shape) => shape.join('×')).join(' and ')}`)
    return length
  })
}

/** Where each view begins a row, how far it goes from one number of it to the next, and how many numbers there are. */
export type VisitRow = (places: readonly number[], steps: readonly number[], length: number) => void

/**
 * Calls `visit` for every row of `shape` in row-major order. A row is as long as all views go on in even steps, so that weights
 * of millions of numbers are few rows. The arrays are used again.
 */
export function eachRow(shape: Shape, views: readonly View[], visit: VisitRow): void {
  const { sides, strides } = merged(shape, views)
  if (elements(sides) === 0) return
  const length = sides.at(-1) ?? 1
  const outer = sides.slice(0, -1)
  const steps = strides.map((own) => own.at(-1) ?? 0)
  const places = views.map(({ start }) => start)
  const index = outer.map(() => 0)
  for (let left = elements(outer); left > 0; left--) {
    visit(places, steps, length)
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const side = outer[axis] ?? 1
      const at = (index[axis] ?? 0) + 1
      index[axis] = at === side ? 0 : at
      const moves = at === side ? 1 - side : 1
      for (const [v, own] of strides.entries()) places[v] = (places[v] ?? 0) + moves * (own[axis] ?? 0)
      if (at < side) break
    }
  }
}

/** The same with neighbouring axes joined where every view goes on from one to the other in even steps. */
function merged(shape: Shape, views: readonly View[]): { readonly sides: number[]; readonly strides: number[][] } {
  const sides: number[] = []
  const strides: number[][] = views.map(() => [])
  for (const [axis, side] of shape.entries()) {
    if (side === 1) continue
    const isEven = views.every(({ strides: own }, v) => strides[v]?.at(-1) === (own[axis] ?? 0) * side)
    if (sides.length > 0 && isEven) sides.push((sides.pop() ?? 1) * side)
    else sides.push(side)
    for (const [v, { strides: own }] of views.entries()) {
      if (sides.length === strides[v]?.length) strides[v].pop()
      strides[v]?.push(own[axis] ?? 0)
    }
  }
  return { sides, strides }
}
