import { useEffect, useState } from 'preact/hooks'
import { measures } from '../../measures.ts'
import type { Range } from '../../selection.ts'
import type { Facets } from '../../wire.ts'

export type MeasureFacet = Facets['measures'][number]

interface RangeFacetProps {
  readonly facet: MeasureFacet
  readonly range: Range | undefined
  readonly onRange: (range: Range | null) => void
}

/** Waits until a reader has typed on. */
const typingMs = 300

/** Two ends of a measure, above the distribution of the selection. A click on a bar takes its bin. */
export function RangeFacet({ facet, range, onRange }: RangeFacetProps) {
  const { name, unit } = measures[facet.measure]
  const { least, greatest, bins } = facet
  const [ends, setEnds] = useState(textOf(range))
  useEffect(() => setEnds(textOf(range)), [range?.from, range?.to])
  useEffect(() => {
    const typed = rangeOf(ends)
    if (typed === undefined || same(typed, range)) return
    const timer = setTimeout(() => onRange(typed.from === null && typed.to === null ? null : typed), typingMs)
    return () => clearTimeout(timer)
  }, [ends])
  const most = Math.max(1, ...bins)
  const width = (greatest - least) / bins.length
  const edge = (at: number) => Number((least + at * width).toPrecision(5))
  const input = (end: 'from' | 'to', placeholder: number) => (
    <input
      type="text"
      inputMode="decimal"
      autocomplete="off"
      aria-label={`${name} ${end}${unit === '' ? '' : ', degrees'}`}
      aria-invalid={rangeOf(ends) === undefined}
      placeholder={short(placeholder)}
      value={ends[end]}
      onInput={(event) => setEnds({ ...ends, [end]: event.currentTarget.value })}
    />
  )
  return (
    <div class="range">
      <span class="name">
        {name}
        {unit === '' ? '' : `, ${unit}`}
      </span>
      <svg class="bars" viewBox={`0 0 ${bins.length * 10} 30`} preserveAspectRatio="none" aria-hidden="true">
        {bins.map((n, at) => (
          <g key={at} onClick={() => onRange({ from: edge(at), to: edge(at + 1) })}>
            <title>{`${short(edge(at))} to ${short(edge(at + 1))}: ${n.toLocaleString('en-US')}`}</title>
            <rect class="hit" x={at * 10} y={0} width={10} height={30} />
            <rect class="bar" x={at * 10 + 0.5} y={30 - height(n, most)} width={9} height={height(n, most)} />
          </g>
        ))}
      </svg>
      {input('from', least)}
      <span aria-hidden="true">to</span>
      {input('to', greatest)}
    </div>
  )
}

function height(n: number, most: number): number {
  return n === 0 ? 0 : Math.max(1, (n / most) * 30)
}

function short(value: number): string {
  return String(Number(value.toFixed(2)))
}

function textOf(range: Range | undefined): { from: string; to: string } {
  const text = (end: number | null | undefined) => (end === null || end === undefined ? '' : String(end))
  return { from: text(range?.from), to: text(range?.to) }
}

/** Undefined while an end is no number, as a minus alone. */
function rangeOf({ from, to }: { readonly from: string; readonly to: string }): Range | undefined {
  const end = (text: string) => {
    const plain = text.trim().replace('−', '-').replace(',', '.')
    if (plain === '') return null
    return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : undefined
  }
  const [low, high] = [end(from), end(to)]
  return low === undefined || high === undefined ? undefined : { from: low, to: high }
}

function same(a: Range, b: Range | undefined): boolean {
  return a.from === (b?.from ?? null) && a.to === (b?.to ?? null)
}
