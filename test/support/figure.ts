/** What a check measured, lower is better, and what it may be at most. */
export interface Figure {
  readonly what: string
  readonly found: number
  readonly tolerance: number
}

/** NaN is within no tolerance. */
export const isWithin = ({ found, tolerance }: Figure): boolean => found <= tolerance
