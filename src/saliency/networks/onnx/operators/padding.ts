import { make } from '../../../ops.ts'
import type { Call, Operators } from '../call.ts'
import { paddedKnown, type Margin } from '../knownLayout.ts'
import { gathered, sliced } from '../layout.ts'
import { computed, known, shapeOf, type Available, type Known } from '../value.ts'

export const padding: Operators = {
  /** Paddings are an attribute up to operator set 10; axes can be chosen since 18. Below 0, they take away. */
  Pad: (call) => {
    const shape = call.shape(0)
    const sizes = call.numbersOrAttribute(1, 'pads') ?? []
    const axes = call.numbers(3)?.map((axis) => call.axis(axis, shape.length)) ?? shape.map((_, axis) => axis)
    call.require(sizes.length === 2 * axes.length && sizes.every(Number.isSafeInteger), `pads ${sizes.join(', ')}`)
    const asked = axes.map((axis, i) => ({ axis, before: sizes[i] ?? 0, after: sizes[axes.length + i] ?? 0 }))
    const x = asked.reduce((rest, margin) => cropped(call, rest, margin), call.input(0))
    const margins = asked
      .map(({ axis, before, after }) => ({ axis, before: Math.max(0, before), after: Math.max(0, after) }))
      .filter(({ before, after }) => before + after > 0)
    const mode = call.text('mode', 'constant')
    if (mode === 'constant') return filled(call, x, margins, call.number(2) ?? call.float('value', 0))
    return margins.reduce((rest, margin) => continued(call, rest, margin, mode), x)
  },
}

function cropped(call: Call, x: Available, { axis, before, after }: Margin): Available {
  const side = shapeOf(x)[axis] ?? 1
  const [start, end] = [Math.max(0, -before), side - Math.max(0, -after)]
  call.require(end > start, `pads ${before}, ${after} of ${side}`)
  return sliced(call, x, axis, { start, count: end - start, step: 1 })
}

/**
 * Around zeros, another value is added. To pad x − value and to add it again is the tempting wrong choice: beside the lowest
 * float32, which stands before many a pool, nothing is left of x.
 */
function filled(call: Call, x: Available, margins: readonly Margin[], value: number): Available {
  const around = (inner: Known): Known =>
    margins.reduce((rest, margin) => paddedKnown(call, rest, margin, value), inner)
  if (x.kind === 'known') return around(x)
  const padded = margins.reduce((rest, margin) => make('pad', [rest], margin, call.label), x.node)
  if (value === 0 || margins.length === 0) return computed(padded)
  const plane = x.node.shape.map((side, at) => (margins.some(({ axis }) => axis === at) ? side : 1))
  const frame = around(known('float', plane, call.allocate('float', plane)))
  return computed(make('add', [padded, call.nodeOf(frame)], {}, call.label))
}

/** With values of x itself. */
function continued(call: Call, x: Available, { axis, before, after }: Margin, mode: string): Available {
  const side = shapeOf(x)[axis] ?? 1
  const index = continuations[mode]
  if (index === undefined) throw call.refusal(`mode ${mode}`)
  call.require(before < side && after < side, `${before} and ${after} more ${mode} values of ${side}`)
  const indices = Array.from({ length: before + side + after }, (_, i) => index(i - before, side))
  return gathered(call, x, axis, indices)
}

/** Which value stands at a place up to one length beyond the first or the last. */
const continuations: Readonly<Record<string, (place: number, side: number) => number>> = {
  edge: (place, side) => Math.min(side - 1, Math.max(0, place)),
  reflect: (place, side) => (place < 0 ? -place : place < side ? place : 2 * (side - 1) - place),
  wrap: (place, side) => (place + side) % side,
}
