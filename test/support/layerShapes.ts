/** Names and shapes of a checkpoint's tensors, in its order. */
export type Shapes = Readonly<Record<string, readonly number[]>>

/** A batch norm's four tensors. */
export function normShapes(name: string, channels: number): Shapes {
  return Object.fromEntries(
    ['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [channels]]),
  )
}

/** A linear layer's two tensors. */
export function linearShapes(name: string, ins: number, outs: number): Shapes {
  return { [`${name}.weight`]: [outs, ins], [`${name}.bias`]: [outs] }
}

export function withPrefix(prefix: string, shapes: Shapes): Shapes {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]))
}

export function without(missing: string, shapes: Shapes): Shapes {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => name !== missing))
}
