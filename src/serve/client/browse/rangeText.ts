import type { Range } from '../../selection.ts'

/** Both ends of a range as a reader types them; empty where it is open. */
export interface RangeText {
  readonly from: string
  readonly to: string
}

export function textOfRange(range: Range | undefined): RangeText {
  const text = (end: number | null | undefined) => (end === null || end === undefined ? '' : String(end))
  return { from: text(range?.from), to: text(range?.to) }
}

/** Undefined while an end is no number, as a minus alone. A decimal comma and a true minus are understood. */
export function rangeOfText({ from, to }: RangeText): Range | undefined {
  const [low, high] = [endOf(from), endOf(to)]
  return low === undefined || high === undefined ? undefined : { from: low, to: high }
}

/** No range at all is as good as one that is open at both ends. */
export function isSameRange(a: Range | undefined, b: Range | undefined): boolean {
  return (a?.from ?? null) === (b?.from ?? null) && (a?.to ?? null) === (b?.to ?? null)
}

function endOf(text: string): number | null | undefined {
  const plain = text.trim().replace('−', '-').replace(',', '.')
  if (plain === '') return null
  return /^-?\d+(\.\d*)?$/.test(plain) ? Number(plain) : undefined
}
