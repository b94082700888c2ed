import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { minute, tenth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { everything } from '../../selection.ts'
import type { SetEntry, SetsReply } from '../../wire.ts'
import { href } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { useReply } from '../useReply.ts'
import { useTitle } from '../useTitle.ts'

/** All result sets of the output. */
export function SetsScreen() {
  const asked = useReply<SetsReply>(addresses.setsReply())
  const [ticked, setTicked] = useState<readonly string[]>([])
  useTitle('result sets')
  const { reply } = asked
  const [a, b] = ticked
  return (
    <div class="sets">
      <h1 tabIndex={-1}>Result sets</h1>
      <Asking asked={asked} />
      {reply !== null && (
        <>
          <p class="under">
            <bdi>{reply.output}</bdi> · headlight {reply.headlightVersion}
          </p>
          {reply.sets.length === 0 && <p>There is no result set yet; headlight run makes one.</p>}
          <ul class="sets-list">
            {reply.sets.map((set) => (
              <Entry
                key={set.id}
                set={set}
                isTicked={ticked.includes(set.id)}
                onTick={
                  reply.sets.length < 2
                    ? null
                    : (isTicked) =>
                        setTicked(isTicked ? [...ticked, set.id].slice(-2) : ticked.filter((id) => id !== set.id))
                }
              />
            ))}
          </ul>
          {reply.sets.length > 1 && (
            <p role="status">
              {a !== undefined && b !== undefined ? (
                <a class="button" href={href(addresses.compare(a, b))}>
                  Compare {a} with {b}
                </a>
              ) : (
                <span class="quiet">Tick two to compare them: the first is A, before; the second is B, after.</span>
              )}
            </p>
          )}
        </>
      )}
    </div>
  )
}

interface EntryProps {
  readonly set: SetEntry
  readonly isTicked: boolean
  readonly onTick: ((isTicked: boolean) => void) | null
}

/** How the last run ended, or where to see it go on. */
function lastRunText({ lastRun }: SetEntry): ComponentChildren {
  if (lastRun === null) return 'none yet'
  if (lastRun.state === 'running') return <a href={href(addresses.live())}>running</a>
  return `${lastRun.state}${lastRun.closedAt === null ? '' : `, ${minute(lastRun.closedAt)}`}`
}

function Entry({ set, isTicked, onTick }: EntryProps) {
  const { id, stateRun, problem } = set
  if (problem !== null) {
    return (
      <li class="panel">
        <h2>{id}</h2>
        <p class="refusal">{problem}</p>
      </li>
    )
  }
  const facts: [name: string, value: ComponentChildren][] = [
    ['images', set.images === null ? null : whole(set.images)],
    ['failed', set.failed === null ? null : whole(set.failed)],
    ['mean absolute error', set.meanError === null ? null : `${tenth(set.meanError)}°`],
    ['last run', lastRunText(set)],
  ]
  return (
    <li class="panel">
      <h2>{stateRun === null ? id : <a href={href(addresses.set(id))}>{id}</a>}</h2>
      <p class="under">
        {set.network} on <bdi>{set.dataset}</bdi> · scope {set.scope} · objectives {set.objectives.join(', ')}
      </p>
      <dl class="facts-row">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {stateRun !== null && (
        <p class="lead">
          <a href={href(addresses.browse(id, null, everything))}>browse the images</a>
          {onTick !== null && (
            <label>
              <input type="checkbox" checked={isTicked} onChange={(event) => onTick(event.currentTarget.checked)} />{' '}
              compare
            </label>
          )}
        </p>
      )}
    </li>
  )
}
