import { addresses } from '../../addresses.ts'
import type { RowFacts } from '../../wire.ts'
import { href } from '../navigation.ts'
import { Picture } from '../parts/picture.tsx'
import { RowNumbers } from './rowNumbers.tsx'

interface RowCardProps {
  readonly set: string
  readonly run: string
  readonly row: RowFacts
  /** Of the map; null: the first one, whose name is not known yet. */
  readonly objective: string | null
  /** Of the sample, below the base path. */
  readonly link: string
  readonly isActive: boolean
}

/** Size of the report's thumbnail of one objective: three squares in a row. */
export const cardPicture = { width: 438, height: 144 }

/** One image: what the network saw, its map, and both over each other, above its numbers. */
export function RowCard({ set, run, row, objective, link, isActive }: RowCardProps) {
  const names = [row.subject, row.sequence].filter((name) => name !== null)
  return (
    <a class="card" href={href(link)} tabIndex={isActive ? 0 : -1}>
      {row.status === 'failed' ? (
        <div class="picture none">no map</div>
      ) : (
        <Picture
          key={row.key}
          address={addresses.picture(set, run, row.key, 'card', objective)}
          alt={`image, map${objective === null ? '' : ` of ${objective}`} and overlay`}
          {...cardPicture}
          isLazy
        />
      )}
      <span class="key" title={row.key}>
        <bdi>{row.key}</bdi>
      </span>
      <RowNumbers row={row} />
      <span class="names">
        {names.map((name) => (
          <bdi key={name} class="tag">
            {name}
          </bdi>
        ))}
        {row.isLeftOutOfErrors && <span class="tag caution">label beyond ±99°</span>}
      </span>
    </a>
  )
}
