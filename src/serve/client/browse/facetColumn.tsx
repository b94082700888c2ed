import { useEffect, useState } from 'preact/hooks'
import type { Selection } from '../../selection.ts'
import type { FacetsReply } from '../../wire.ts'
import { FacetPanel } from './facetPanel.tsx'

interface FacetColumnProps {
  readonly reply: FacetsReply | null
  readonly selection: Selection
  /** `field`: what was typed into; null: another kind of change. */
  readonly onSelection: (selection: Selection, field: string | null) => void
}

/** What images can be chosen by: beside them where there is room, else folded above them. */
export function FacetColumn({ reply, selection, onSelection }: FacetColumnProps) {
  const [isWide, setWide] = useState(() => matchMedia('(min-width: 800px)').matches)
  useEffect(() => {
    const query = matchMedia('(min-width: 800px)')
    const update = () => setWide(query.matches)
    query.addEventListener('change', update)
    return () => query.removeEventListener('change', update)
  }, [])
  const panel = reply === null ? null : <FacetPanel facets={reply} selection={selection} onSelection={onSelection} />
  return isWide ? (
    <aside class="side" aria-label="choose images">
      {panel}
    </aside>
  ) : (
    <details class="side">
      <summary>choose images</summary>
      {panel}
    </details>
  )
}
