import { elements, type Shape } from '../../graph.ts'
import { NotImported } from './call.ts'

/** How to step through the numbers of a tensor that are laid out in another order, left out or repeated. */
export interface View {
  /** How many numbers one step along each axis goes; 0 where a number is repeated, below 0 for the reverse order. */
  readonly strides: readonly number[]
  /** Where the first number lies. */
  readonly start: number
}

/** Of each axis, the numbers between one and the next of a row-major tensor. */
export function rowMajor(shape: Shape): number[] {
  const strides = shape.map(() => 1)
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1)
  return strides
}

/** A tensor of `from` repeated to `to`, as NumPy broadcasts. */
export function broadcastView(from: Shape, to: Shape): View {
  const own = rowMajor(from)
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

/** Calls `visit` with the place in each view of every number of `shape` in row-major order. The array is used again. */
export function eachPlace(shape: Shape, views: readonly View[], visit: (places: readonly number[]) => void): void {
  const places = views.map(({ start }) => start)
  const index = shape.map(() => 0)
  const count = elements(shape)
  for (let done = 0; done < count; done++) {
    visit(places)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] ?? 1
      const at = (index[axis] ?? 0) + 1
      const isPast = at === length
      index[axis] = isPast ? 0 : at
      for (let v = 0; v < views.length; v++) {
        const stride = views[v]?.strides[axis] ?? 0
        places[v] = (places[v] ?? 0) + (isPast ? stride * (1 - length) : stride)
      }
      if (!isPast) break
    }
  }
}
