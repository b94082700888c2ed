import { useRef, useState } from 'preact/hooks'
import { whole } from '../../../report/numberText.ts'
import { binRange, binStart } from '../../bins.ts'
import { measures } from '../../measures.ts'
import type { Range } from '../../selection.ts'
import type { Facets } from '../../wire.ts'

interface HistogramProps {
  readonly facet: Facets['measures'][number]
  /** Address of the images of a bar. */
  readonly link: (range: Range) => string
}

/** How a measure is spread; each bar leads to its images. One stop for the tab key, the arrows, Home and End within. */
export function Histogram({ facet, link }: HistogramProps) {
  const { measure, least, greatest, bins } = facet
  const list = useRef<HTMLOListElement>(null)
  const [focus, setFocus] = useState(0)
  const { name, unit } = measures[measure]
  const most = Math.max(1, ...bins)
  const last = bins.length - 1
  const edge = (at: number) => binStart(facet, bins.length, at)
  const text = (value: number) => `${Number(value.toFixed(unit === '' ? 2 : 1))}${unit}`.replace('-', '−')
  const onKeyDown = (event: KeyboardEvent): void => {
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: Math.max(0, focus - 1),
      ArrowRight: Math.min(last, focus + 1),
      Home: 0,
      End: last,
    }
    const target = targets[event.key]
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    setFocus(target)
    list.current?.querySelectorAll<HTMLElement>('a')[target]?.focus()
  }
  return (
    <figure>
      <h3>{name}</h3>
      <ol class="histogram" aria-label={`${name}, images by range`} ref={list} onKeyDown={onKeyDown}>
        {bins.map((n, at) => {
          const label = `${text(edge(at))} to ${text(edge(at + 1))}: ${whole(n)} images`
          return (
            <li key={at}>
              <a
                href={link(binRange(facet, bins.length, at))}
                aria-label={label}
                title={label}
                tabIndex={at === focus ? 0 : -1}
                onFocus={() => setFocus(at)}
              >
                <span style={{ height: `${n === 0 ? 0 : Math.max(1.5, (n / most) * 100)}%` }} />
              </a>
            </li>
          )
        })}
      </ol>
      <p class="ends" aria-hidden="true">
        <span>{text(least)}</span>
        <span>{text(greatest)}</span>
      </p>
    </figure>
  )
}
