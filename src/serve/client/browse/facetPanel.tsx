import type { ComponentChildren } from 'preact'
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
  /** `field`: what was typed into; null: another kind of change. */
  readonly onSelection: (selection: Selection, field: string | null) => void
}

/** Everything by which a selection can be narrowed. */
export function FacetPanel({ facets, selection, onSelection }: FacetPanelProps) {
  const change = (part: Partial<Selection>, field: string | null = null) =>
    onSelection({ ...selection, ...part }, field)
  return (
    <div class="facets">
      <KeyFacet text={selection.key} onText={(key) => change({ key }, 'key')} />
      {groups.map(([group, title, isOpen]) => {
        const own = facets.measures.filter(({ measure }) => measures[measure].group === group)
        if (own.length === 0) return null
        const isUsed = own.some(({ measure }) => selection.ranges[measure] !== undefined)
        return (
          <Group key={group} title={title} isOpenAtFirst={isOpen} isUsed={isUsed}>
            {own.map((facet) => (
              <RangeFacet
                key={facet.measure}
                facet={facet}
                range={selection.ranges[facet.measure]}
                onRange={(range, isTyped) => {
                  const { [facet.measure]: _, ...others } = selection.ranges
                  const ranges = range === null ? others : { ...others, [facet.measure]: range }
                  change({ ranges }, isTyped ? facet.measure : null)
                }}
              />
            ))}
          </Group>
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

interface GroupProps {
  readonly title: string
  readonly isOpenAtFirst: boolean
  /** The selection has a range of it. */
  readonly isUsed: boolean
  readonly children: ComponentChildren
}

/** Opens when it is used, and shuts when the reader shuts it: a range that is typed may be empty for a moment. */
function Group({ title, isOpenAtFirst, isUsed, children }: GroupProps) {
  const [isOpen, setOpen] = useState(isOpenAtFirst || isUsed)
  useEffect(() => {
    if (isUsed) setOpen(true)
  }, [isUsed])
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {children}
    </details>
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
