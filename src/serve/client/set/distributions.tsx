import { useEffect, useRef, useState } from 'preact/hooks'
import { whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { measures, type Measure } from '../../measures.ts'
import { everything } from '../../selection.ts'
import type { FacetsReply } from '../../wire.ts'
import { href } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { useReply } from '../useReply.ts'

const shown: readonly Measure[] = [
  'labelYaw',
  'labelPitch',
  'labelRoll',
  'yaw',
  'pitch',
  'roll',
  'absErrorYaw',
  'absErrorPitch',
  'absErrorRoll',
  'topClassProbability',
]

/** How labels, estimates and errors are spread; a bar leads to its images. They need the table, and wait until they are in sight. */
export function Distributions({ set, run }: { readonly set: string; readonly run: string }) {
  const section = useRef<HTMLElement>(null)
  const [isSeen, setSeen] = useState(false)
  useEffect(() => {
    const found = section.current
    if (found === null) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setSeen(true), {
      rootMargin: '300px',
    })
    observer.observe(found)
    return () => observer.disconnect()
  }, [])
  const asked = useReply<FacetsReply>(isSeen ? addresses.facetsReply(set, run, everything) : null)
  const facets = asked.reply?.measures.filter(({ measure }) => shown.includes(measure)) ?? []
  return (
    <section id="distributions" aria-labelledby="distributions-name" ref={section}>
      <h2 id="distributions-name">Distributions</h2>
      <Asking asked={asked} />
      <div class="charts">
        {facets.map(({ measure, least, greatest, bins }) => {
          const { name, unit } = measures[measure]
          const most = Math.max(1, ...bins)
          const step = (greatest - least) / bins.length
          const edge = (at: number) => Number((least + step * at).toPrecision(8))
          // Open at both ends: rounded, they would leave the least or the greatest out. Of what lies on the border of two
          // bars, as labels on a grid do, each image counts in the upper one alone.
          const from = (at: number) => (at === 0 ? null : edge(at))
          const to = (at: number) => (at === bins.length - 1 ? null : edge(at + 1 - 1e-5))
          const text = (value: number) => `${Number(value.toFixed(unit === '' ? 2 : 1))}${unit}`.replace('-', '−')
          return (
            <figure key={measure}>
              <h3>{name}</h3>
              <ol class="histogram" aria-label={`${name}, images by range`}>
                {bins.map((n, at) => {
                  const label = `${text(edge(at))} to ${text(edge(at + 1))}: ${whole(n)} images`
                  const ranges = { [measure]: { from: from(at), to: to(at) } }
                  return (
                    <li key={at}>
                      <a
                        href={href(
                          addresses.browse(set, run, { ...everything, ranges, sort: measure, isDescending: true }),
                        )}
                        aria-label={label}
                        title={label}
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
        })}
      </div>
    </section>
  )
}
