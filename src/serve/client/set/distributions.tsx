import { useEffect, useRef, useState } from 'preact/hooks'
import { addresses } from '../../addresses.ts'
import type { Measure } from '../../measures.ts'
import { everything } from '../../selection.ts'
import type { FacetsReply } from '../../wire.ts'
import { href, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { useReply } from '../useReply.ts'
import { Histogram } from './histogram.tsx'

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

interface DistributionsProps {
  readonly place: Place
  readonly set: string
  readonly run: string
}

/** How labels, estimates and errors are spread; a bar leads to its images. They need the table, and wait until they are in sight. */
export function Distributions({ place, set, run }: DistributionsProps) {
  const section = useRef<HTMLElement>(null)
  // Who comes back to what is further down finds it as far down as before only when they are there, too.
  const [isSeen, setSeen] = useState(() => (place.arrival.scrollY ?? 0) > 0)
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
        {facets.map((facet) => (
          <Histogram
            key={facet.measure}
            facet={facet}
            link={(range) =>
              href(
                addresses.browse(set, run, {
                  ...everything,
                  ranges: { [facet.measure]: range },
                  sort: facet.measure,
                  isDescending: true,
                }),
              )
            }
          />
        ))}
      </div>
    </section>
  )
}
