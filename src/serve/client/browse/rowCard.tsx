import { addresses } from '../../addresses.ts'
import type { FacetsReply, RowFacts } from '../../wire.ts'
import { href } from '../navigation.ts'
import { Picture } from '../parts/picture.tsx'
import { RowNumbers } from './rowNumbers.tsx'

interface RowCardProps {
  readonly set: string
  readonly run: string
  readonly row: RowFacts
  /** From 1. */
  readonly rank: number
  /** Of the map; null: the first one, whose name is not known yet. */
  readonly objective: string | null
  /** Of the sample, below the base path. */
  readonly link: string
  readonly isActive: boolean
}

/** Size of the report's thumbnail of one objective: three squares in a row. */
export const cardPicture = { width: 438, height: 144 }

/** One image: what the network saw, its map, and both over each other, above its numbers. */
export function RowCard({ set, run, row, rank, objective, link, isActive }: RowCardProps) {
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
      <CardText row={row} rank={rank} />
    </a>
  )
}

/** A card with every line that one of the images may have, for its height. `facets` null: they are still on their way. */
export function ModelCard({ facets }: { readonly facets: FacetsReply | null }) {
  const has = (measure: FacetsReply['measures'][number]['measure']) =>
    facets === null || facets.measures.some((facet) => facet.measure === measure)
  const angles = (given: boolean) => (given ? ([0, 0, 0] as const) : ([null, null, null] as const))
  const hasAngles = has('yaw') || has('pitch') || has('roll')
  const row: RowFacts = {
    key: 'key',
    status: 'ok',
    code: null,
    subject: 'subject',
    sequence: 'sequence',
    estimate: angles(hasAngles),
    label: angles(has('labelYaw') || has('labelPitch') || has('labelRoll')),
    error: angles(true),
    meanError: null,
    errorGeodesic: null,
    isLeftOutOfErrors: true,
    confidence: angles(false),
    class: 0,
    topClass: 0,
    topClassProbability: 0,
  }
  return (
    <div class="card">
      <div class="picture none" />
      <CardText row={row} rank={1} />
    </div>
  )
}

function CardText({ row, rank }: { readonly row: RowFacts; readonly rank: number }) {
  return (
    <>
      <span class="key" title={row.key} data-rank={rank}>
        <bdi>{row.key}</bdi>
      </span>
      <RowNumbers row={row} />
      <span class="names">
        {(['subject', 'sequence'] as const).map(
          (what) =>
            row[what] !== null && (
              <bdi key={what} class="tag" title={`${what} ${row[what]}`}>
                {row[what]}
              </bdi>
            ),
        )}
        {row.isLeftOutOfErrors && <span class="tag caution">label beyond ±99°</span>}
      </span>
    </>
  )
}
