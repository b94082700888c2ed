import { useEffect, useState } from 'preact/hooks'
import { whole } from '../../../report/numberText.ts'
import { binRange, binStart } from '../../bins.ts'
import { measures } from '../../measures.ts'
import type { Range } from '../../selection.ts'
import type { Facets } from '../../wire.ts'
import { isSameRange, rangeOfText, textOfRange } from './rangeText.ts'
import { useDelayed } from './useDelayed.ts'

interface RangeFacetProps {
  readonly facet: Facets['measures'][number]
  readonly range: Range | undefined
  /** `isTyped`: else a bar was clicked. */
  readonly onRange: (range: Range | null, isTyped: boolean) => void
}

/** Waits until a reader has typed on. */
const typingMs = 300

/** Two ends of a measure, below the distribution of the selection. A click on a bar takes its bin. */
export function RangeFacet({ facet, range, onRange }: RangeFacetProps) {
  const { name, unit } = measures[facet.measure]
  const { least, greatest, bins } = facet
  const [ends, setEnds] = useState(textOfRange(range))
  const typed = rangeOfText(ends)
  useEffect(() => {
    // What means the same stays as it was typed: `0.0` may become `0.05`.
    if (typed === undefined || !isSameRange(typed, range)) setEnds(textOfRange(range))
  }, [range?.from, range?.to])
  useDelayed(ends, typed !== undefined && !isSameRange(typed, range), typingMs, () => {
    if (typed !== undefined) onRange(typed.from === null && typed.to === null ? null : typed, true)
  })
  const most = Math.max(1, ...bins)
  const edge = (at: number) => binStart(facet, bins.length, at)
  const input = (end: 'from' | 'to', placeholder: number) => (
    <input
      type="text"
      inputMode="decimal"
      autocomplete="off"
      aria-label={`${name} ${end}${unit === '' ? '' : ', degrees'}`}
      aria-invalid={typed === undefined}
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
          <g key={at} onClick={() => onRange(binRange(facet, bins.length, at), false)}>
            <title>{`${short(edge(at))} to ${short(edge(at + 1))}: ${whole(n)}`}</title>
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
  return String(Number(value.toFixed(2))).replace('-', '−')
}
