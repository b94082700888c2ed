import { useState } from 'preact/hooks'
import { whole } from '../../../report/numberText.ts'
import type { NameCounts } from '../../wire.ts'

interface NamesFacetProps {
  /** `subject`, `sequence` … */
  readonly title: string
  readonly counts: NameCounts
  readonly chosen: readonly string[]
  readonly onChosen: (chosen: readonly string[]) => void
}

/** Names that are shown before a reader searches. */
const shown = 12

/** Names to tick, the most frequent first, with a field that finds others. */
export function NamesFacet({ title, counts, chosen, onChosen }: NamesFacetProps) {
  const [search, setSearch] = useState('')
  if (counts.named.length === 0) return null
  const wanted = search.toLowerCase()
  const found = counts.named.filter(([name]) =>
    (name === '' ? `without ${title}` : name).toLowerCase().includes(wanted),
  )
  const listed = found.filter(([name], at) => at < shown || chosen.includes(name))
  const left = found.length - listed.length + counts.more
  // Names beyond those that are told can be chosen all the same, by whoever knows them.
  const isUntold = counts.more > 0 && search !== '' && !counts.named.some(([name]) => name === search)
  return (
    <fieldset class="names">
      <legend>{title}</legend>
      {counts.named.length + counts.more > shown && (
        <input
          type="search"
          aria-label={`find a ${title}`}
          placeholder={`find a ${title}`}
          autocomplete="off"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      {listed.map(([name, count]) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) =>
              onChosen(event.currentTarget.checked ? [...chosen, name] : chosen.filter((other) => other !== name))
            }
          />
          <span class="text">{name === '' ? <i>without {title}</i> : <bdi>{name}</bdi>}</span>
          <span class="count">{whole(count)}</span>
        </label>
      ))}
      {isUntold && (
        <button type="button" onClick={() => onChosen([...chosen, search])}>
          choose exactly <bdi>{search}</bdi>
        </button>
      )}
      {left > 0 && (
        <p class="quiet">
          and {whole(left)} more: {counts.more > 0 ? 'type a full name to choose it' : 'type to find them'}
        </p>
      )}
    </fieldset>
  )
}
