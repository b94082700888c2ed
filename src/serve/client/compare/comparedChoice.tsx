import { minute } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import type { RunsReply, SetsReply } from '../../wire.ts'
import { href, navigate, type Place } from '../navigation.ts'
import { addressWith } from '../placeAddress.ts'
import { useReply } from '../useReply.ts'

interface Sides {
  readonly place: Place
  /** SET or SET/RUN; null: not chosen yet. */
  readonly a: string | null
  readonly b: string | null
}

/** What is compared with what: result set and run of either side, and both swapped. */
export function ComparedChoice({ place, a, b }: Sides) {
  const sets = useReply<SetsReply>(addresses.setsReply()).reply?.sets ?? []
  const names = sets.filter(({ stateRun }) => stateRun !== null).map(({ id }) => id)
  const choose = (nextA: string | null, nextB: string | null): void => {
    // One alone: its state against the state before.
    const [first, second] = nextA === null ? [nextB, null] : [nextA, nextB]
    if (first !== null) navigate(addressWith(place, { a: first, b: second }))
  }
  return (
    <div class="compared">
      <SideChoice side="A" words="before" chosen={a} sets={names} onChoose={(chosen) => choose(chosen, b)} />
      <SideChoice side="B" words="after" chosen={b} sets={names} onChoose={(chosen) => choose(a, chosen)} />
      {a !== null && b !== null && (
        <a class="swap" href={href(addressWith(place, { a: b, b: a }))}>
          Swap A and B
        </a>
      )}
    </div>
  )
}

interface SideProps {
  readonly side: 'A' | 'B'
  readonly words: string
  readonly chosen: string | null
  readonly sets: readonly string[]
  readonly onChoose: (chosen: string) => void
}

function SideChoice({ side, words, chosen, sets, onChoose }: SideProps) {
  const [set = null, run = ''] = chosen?.split('/') ?? []
  const runs = useReply<RunsReply>(set === null ? null : addresses.runsReply(set)).reply?.runs ?? []
  // What is compared is always among the choices, be it of a list that has not come yet.
  const shownSets = set === null || sets.includes(set) ? sets : [set, ...sets]
  const isListed = run === '' || runs.some((each) => each.run === run)
  return (
    <fieldset>
      <legend>
        {side}, {words}
      </legend>
      <label>
        <span>Result set</span>
        <select value={set ?? ''} onChange={({ currentTarget: { value } }) => value !== '' && onChoose(value)}>
          {set === null && <option value="">choose one</option>}
          {shownSets.map((id) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Run</span>
        <select
          value={run}
          disabled={set === null}
          onChange={({ currentTarget: { value } }) => onChoose(value === '' ? (set ?? '') : `${set ?? ''}/${value}`)}
        >
          <option value="">the current state</option>
          {!isListed && <option value={run}>{run}</option>}
          {runs.toReversed().map(({ run: id, closedAt, hasTable }) => (
            <option key={id} value={id} disabled={!hasTable}>
              {minute(closedAt)} ({id.slice(-6)}){hasTable ? '' : ', no table of its own'}
            </option>
          ))}
        </select>
      </label>
    </fieldset>
  )
}
