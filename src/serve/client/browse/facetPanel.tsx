import { useEffect, useState } from 'preact/hooks'
import { measures, type MeasureGroup } from '../../measures.ts'
import type { Selection } from '../../selection.ts'
import type { Facets } from '../../wire.ts'
import { NamesFacet } from './namesFacet.tsx'
import { RangeFacet } from './rangeFacet.tsx'
import { useDelayed } from './useDelayed.ts'

const groups: readonly (readonly [group: MeasureGroup, title: string, isOpen: boolean])[] = [
  ['pose', 'Pose (label, else estimate)', true],
  ['error', 'Error', true],
  ['confidence', 'Confidence', false],
  ['class', 'Class', true],
  ['estimate', 'Estimate', false],
  ['label', 'Label', false],
]
const typingMs = 300

interface FacetPanelProps {
  readonly facets: Facets
  readonly selection: Selection
  /** `isTyped`: one of many small steps, which Back should not go through one by one. */
  readonly onSelection: (selection: Selection, isTyped: boolean) => void
}

/** Everything by which a selection can be narrowed. */
export function FacetPanel({ facets, selection, onSelection }: FacetPanelProps) {
  const change = (part: Partial<Selection>, isTyped = false) => onSelection({ ...selection, ...part }, isTyped)
  return (
    <div class="facets">
      <KeyFacet text={selection.key} onText={(key) => change({ key }, true)} />
      {groups.map(([group, title, isOpen]) => {
        const own = facets.measures.filter(({ measure }) => measures[measure].group === group)
        if (own.length === 0) return null
        const isUsed = own.some(({ measure }) => selection.ranges[measure] !== undefined)
        return (
          <details key={group} open={isOpen || isUsed}>
            <summary>{title}</summary>
            {own.map((facet) => (
              <RangeFacet
                key={facet.measure}
                facet={facet}
                range={selection.ranges[facet.measure]}
                onRange={(range) => {
                  const { [facet.measure]: _, ...others } = selection.ranges
                  change({ ranges: range === null ? others : { ...others, [facet.measure]: range } }, true)
                }}
              />
            ))}
          </details>
        )
      })}
      <NamesFacet
        title="subject"
        counts={facets.subjects}
        chosen={selection.subjects}
        onChosen={(subjects) => change({ subjects })}
      />
      <NamesFacet
        title="sequence"
        counts={facets.sequences}
        chosen={selection.sequences}
        onChosen={(sequences) => change({ sequences })}
      />
      <fieldset class="names">
        <legend>status</legend>
        {([null, 'ok', 'failed'] as const).map((status) => (
          <label key={String(status)}>
            <input
              type="radio"
              name="status"
              checked={selection.status === status}
              onChange={() => change({ status })}
            />
            <span class="text">{status === null ? 'all' : status}</span>
          </label>
        ))}
      </fieldset>
      <NamesFacet title="code" counts={facets.codes} chosen={selection.codes} onChosen={(codes) => change({ codes })} />
    </div>
  )
}

function KeyFacet({ text, onText }: { readonly text: string; readonly onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text)
  useEffect(() => setTyped(text), [text])
  useDelayed(typed, typed !== text, typingMs, () => onText(typed))
  return (
    <label class="key-contains">
      key contains
      <input
        type="search"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </label>
  )
}
