import { addresses } from '../../addresses.ts'
import type { Selection } from '../../selection.ts'
import type { SampleReply } from '../../wire.ts'
import { angleText } from '../browse/angleText.ts'
import { cardPicture } from '../browse/rowCard.tsx'
import { href } from '../navigation.ts'
import { Picture } from '../parts/picture.tsx'

interface NeighboursProps {
  readonly set: string
  readonly reply: SampleReply
  /** What the reader goes through. */
  readonly selection: Selection
  /** Null: the first. */
  readonly objective: string | null
}

/** The images that are nearest in pose: does the network look at the same places there? */
export function Neighbours({ set, reply: { run, neighbours }, selection, objective }: NeighboursProps) {
  if (neighbours.length === 0) return null
  return (
    <section aria-labelledby="neighbours">
      <h2 id="neighbours">Nearest in pose</h2>
      <ul class="neighbours">
        {neighbours.map((row) => {
          const pose = row.label[0] === null ? row.estimate : row.label
          return (
            <li key={row.key}>
              <a href={href(addresses.sample(set, run, row.key, selection, objective))} title={row.key}>
                {row.status === 'failed' ? (
                  <div class="picture none">failed</div>
                ) : (
                  <Picture
                    address={addresses.picture(set, run, row.key, 'card', objective)}
                    alt={`${row.key}: image, map and overlay`}
                    {...cardPicture}
                    isLazy
                  />
                )}
                <span class="answer">
                  {pose.map(angleText).join(' / ')}°
                  {row.meanError === null ? '' : `, error ${angleText(row.meanError)}°`}
                </span>
              </a>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
