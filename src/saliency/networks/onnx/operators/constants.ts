import { elements } from '../../../graph.ts'
import type { Operators } from '../call.ts'
import { known } from '../value.ts'

/** What is known of itself: constants, and the shapes of values. */
export const constants: Operators = {
  Constant: (call) => {
    const tensor = call.tensor('value')
    if (tensor !== undefined) return tensor
    if (call.hasAttribute('value_float')) return known('float', [], Float32Array.of(call.float('value_float', 0)))
    if (call.hasAttribute('value_int')) return known('int', [], [call.int('value_int', 0)])
    const [floats, ints] = [call.floats('value_floats'), call.ints('value_ints')]
    if (call.hasAttribute('value_floats') && floats !== undefined) return known('float', [floats.length], floats)
    if (call.hasAttribute('value_ints') && ints !== undefined) return known('int', [ints.length], ints)
    throw call.refusal('a value that is neither a tensor nor numbers')
  },
  ConstantOfShape: (call) => {
    const shape = call.numbers(0) ?? []
    call.require(shape.every(isLength), `shape ${shape.join('×')}`)
    const value = call.tensor('value') ?? known('float', [1], [0])
    return known(value.type, shape, call.filled(value.type, shape, value.data[0] ?? 0))
  },
  Shape: (call) => {
    const shape = call.shape(0)
    const kept = shape.slice(call.int('start', 0), call.int('end', shape.length))
    return known('int', [kept.length], kept)
  },
  Size: (call) => known('int', [], [elements(call.shape(0))]),
  /** From a start up to a limit that it does not reach. */
  Range: (call) => {
    const [start = 0, limit = 0, delta = 1] = [call.number(0), call.number(1), call.number(2)]
    const shape = [Math.max(0, Math.ceil((limit - start) / delta))]
    call.require(shape.every(isLength), `${start}, ${limit}, ${delta}`)
    const { type } = call.known(0)
    return known(
      type,
      shape,
      call.allocate(type, shape).map((_, i) => start + i * delta),
    )
  },
  /** The indices of what is not 0, one row for each axis. */
  NonZero: (call) => {
    const { shape, data } = call.known(0)
    call.workOut(shape)
    let count = 0
    for (let i = 0; i < data.length; i++) if (data[i] !== 0) count++
    const rows = call.allocate('int', [shape.length, count])
    for (const [axis, side] of shape.entries()) {
      const run = elements(shape.slice(axis + 1))
      let to = axis * count
      for (let i = 0; i < data.length; i++) if (data[i] !== 0) rows[to++] = Math.floor(i / run) % side
    }
    return known('int', [shape.length, count], rows)
  },
}

function isLength(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
