import type { Names } from '../../../output/aggregates.ts'
import { whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { everything } from '../../selection.ts'
import { href, navigate, type Place } from '../navigation.ts'
import { addressWith } from '../placeAddress.ts'
import { columns, readNamesSort, sortedNames, writeNamesSort } from './namesSort.ts'

interface NamesPanelProps {
  readonly place: Place
  readonly set: string
  readonly run: string
  readonly what: 'subjects' | 'sequences'
  readonly names: Names
}

/** Names that are shown before a reader asks for all. */
const shownNames = 20

/** Errors by name; a name leads to its images. */
export function NamesPanel({ place, set, run, what, names: { named, others } }: NamesPanelProps) {
  if (named.length === 0) return null
  const sort = readNamesSort(place.parameters.get(what))
  const isAll = place.parameters.has(`all-${what}`)
  const change = (changes: Readonly<Record<string, string | null>>) =>
    navigate(addressWith(place, changes), { replace: true })
  const sorted = sortedNames(named, sort)
  const listed = isAll ? sorted : sorted.slice(0, shownNames)
  const link = (name: string) =>
    addresses.browse(set, run, { ...everything, [what]: [name], sort: 'meanError', isDescending: true })
  return (
    <div class="scroll">
      <table class="by-name">
        <caption>
          {what === 'subjects' ? 'Subjects' : 'Sequences'}, the {sort.isDescending ? 'largest' : 'smallest'}{' '}
          {sort.column.name} first. A name leads to its images.
        </caption>
        <thead>
          <tr>
            <th scope="col">{what === 'subjects' ? 'subject' : 'sequence'}</th>
            {columns.map((column) => {
              const isSort = column.id === sort.column.id
              return (
                <th
                  key={column.id}
                  scope="col"
                  class="number"
                  {...(isSort ? { 'aria-sort': sort.isDescending ? 'descending' : 'ascending' } : {})}
                >
                  <button
                    type="button"
                    onClick={() =>
                      change({ [what]: writeNamesSort({ column, isDescending: !isSort || !sort.isDescending }) })
                    }
                  >
                    {column.name}
                    {isSort ? (sort.isDescending ? ' ↓' : ' ↑') : ''}
                  </button>
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody>
          {listed.map((group) => (
            <tr key={group.name}>
              <th scope="row">
                <a href={href(link(group.name))}>
                  <bdi>{group.name}</bdi>
                </a>
              </th>
              {columns.map(({ id, value, text }) => {
                const shown = value(group)
                return (
                  <td key={id} class="number">
                    {shown === undefined ? '–' : text(shown)}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {!isAll && named.length > shownNames && (
        <button type="button" onClick={() => change({ [`all-${what}`]: '' })}>
          show all {whole(named.length)}
        </button>
      )}
      {others !== null && (
        <p class="quiet">{whole(others.names)} with fewer images are not listed; choose them by name when browsing.</p>
      )}
    </div>
  )
}
