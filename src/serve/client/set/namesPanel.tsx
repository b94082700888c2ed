import { useState } from 'preact/hooks'
import type { Names } from '../../../output/aggregates.ts'
import { biasOf, meanOfAngles } from '../../../report/charts/groupErrors.ts'
import { signedTenth, tenth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { everything } from '../../selection.ts'
import { href } from '../navigation.ts'

type Group = Names['named'][number]

interface NamesPanelProps {
  readonly set: string
  readonly run: string
  readonly what: 'subjects' | 'sequences'
  readonly names: Names
}

/** Names that are shown before a reader asks for all. */
const shownNames = 20

const columns: readonly {
  readonly name: string
  readonly value: (group: Group) => number | undefined
  readonly text: (value: number) => string
}[] = [
  { name: 'images', value: ({ n }) => n, text: whole },
  { name: 'mean error, °', value: meanOfAngles, text: tenth },
  ...(['yaw', 'pitch', 'roll'] as const).map((angle) => ({
    name: `${angle} bias, °`,
    value: (group: Group) => biasOf(group, angle),
    text: signedTenth,
  })),
]

/** Errors by name; a name leads to its images. */
export function NamesPanel({ set, run, what, names: { named, others } }: NamesPanelProps) {
  const [sort, setSort] = useState(1)
  const [isAscending, setAscending] = useState(false)
  const [isAll, setAll] = useState(false)
  if (named.length === 0) return null
  const by = columns[sort] ?? columns[0]
  const size = (group: Group) => Math.abs(by?.value(group) ?? -1)
  const sorted = named.toSorted((a, b) => (isAscending ? size(a) - size(b) : size(b) - size(a)))
  const listed = isAll ? sorted : sorted.slice(0, shownNames)
  const link = (name: string) =>
    addresses.browse(set, run, { ...everything, [what]: [name], sort: 'meanError', isDescending: true })
  return (
    <div class="scroll">
      <table class="by-name">
        <caption>
          {what === 'subjects' ? 'Subjects' : 'Sequences'}, the {isAscending ? 'smallest' : 'largest'} {by?.name} first.
          A name leads to its images.
        </caption>
        <thead>
          <tr>
            <th scope="col">{what === 'subjects' ? 'subject' : 'sequence'}</th>
            {columns.map(({ name }, at) => (
              <th
                key={name}
                scope="col"
                class="number"
                {...(at === sort ? { 'aria-sort': isAscending ? 'ascending' : 'descending' } : {})}
              >
                <button
                  type="button"
                  onClick={() => {
                    setAscending(at === sort && !isAscending)
                    setSort(at)
                  }}
                >
                  {name}
                  {at === sort ? (isAscending ? ' ↑' : ' ↓') : ''}
                </button>
              </th>
            ))}
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
              {columns.map(({ name, value, text }) => {
                const shown = value(group)
                return (
                  <td key={name} class="number">
                    {shown === undefined ? '–' : text(shown)}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {!isAll && named.length > shownNames && (
        <button type="button" onClick={() => setAll(true)}>
          show all {whole(named.length)}
        </button>
      )}
      {others !== null && <p class="quiet">{whole(others.names)} smaller ones are found in the images themselves.</p>}
    </div>
  )
}
