import { useMemo } from 'preact/hooks'
import { whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { readSelection } from '../../selection.ts'
import { wantedObjective } from '../../wantedObjective.ts'
import type { SampleReply } from '../../wire.ts'
import { href, navigate, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { Copied } from '../parts/copied.tsx'
import { NewerRun } from '../parts/newerRun.tsx'
import { Unread } from '../parts/unread.tsx'
import { SampleFacts } from '../sample/facts.tsx'
import { Neighbours } from '../sample/neighbours.tsx'
import { Pictures } from '../sample/pictures.tsx'
import { usePreloading } from '../sample/usePreloading.ts'
import { useTurning } from '../sample/useTurning.ts'
import { useReply } from '../useReply.ts'
import { useTitle } from '../useTitle.ts'

interface SampleScreenProps {
  readonly place: Place
  readonly set: string
  readonly run: string
}

/** One image: what the network saw, what it reacted to, and all that is known of it. */
export function SampleScreen({ place, set, run }: SampleScreenProps) {
  const query = place.parameters.toString()
  const { selection, problems } = useMemo(() => readSelection(place.parameters), [query])
  const image = place.parameters.get('image') ?? ''
  const wanted = place.parameters.get('objective')
  const isRead = problems.length === 0
  const asked = useReply<SampleReply>(isRead ? addresses.sampleReply(set, run, image, selection, wanted) : null)
  const { reply } = asked
  const objectives = reply?.objectives ?? []
  const objective = wantedObjective(objectives, wanted) ?? ''
  // While the next image is on its way the links stay: one that has the focus would lose it.
  const position = asked.refusal === null ? (reply?.position ?? null) : null
  const at = (key: string) => addresses.sample(set, run, key, selection, wanted)
  const isKnown = !asked.isStale && (reply !== null || asked.refusal !== null)
  useTitle(image)
  useTurning(image, isKnown ? (position ?? undefined) : null, (key) => navigate(at(key)))
  usePreloading(set, run, asked.isStale ? null : (position?.next ?? null), selection, wanted)

  const step = (key: string | null, text: string, sign: string) =>
    key === null ? (
      <span class="step none">{sign}</span>
    ) : (
      <a class="step" href={href(at(key))} aria-label={text} title={`${text}: the ${sign} key`} data-inside>
        {sign}
      </a>
    )
  return (
    <div class="sample">
      <header class="sample-head">
        <p class="under">
          <a href={href(addresses.set(set, reply !== null && reply.run === reply.stateRun ? null : run))}>{set}</a> ·{' '}
          <a href={href(addresses.browse(set, run, selection, { objective: wanted, at: position?.position ?? 0 }))}>
            back to the images
          </a>
        </p>
        <h1 tabIndex={-1}>
          <bdi>{image}</bdi>
        </h1>
        <p class="turning">
          {step(position?.previous ?? null, 'previous image', '←')}
          <span role="status">
            {position !== null && `${whole(position.position + 1)} of ${whole(position.count)}`}
            {reply !== null && position === null && asked.refusal === null && 'not in the selection'}
          </span>
          {step(position?.next ?? null, 'next image', '→')}
        </p>
        <NewerRun
          set={set}
          run={reply?.run ?? null}
          link={addresses.sample(set, reply?.stateRun ?? run, image, selection, wanted)}
        />
      </header>
      {isRead ? <Asking asked={asked} /> : <Unread problems={problems} link={at(image)} />}
      {reply !== null && asked.refusal === null && (
        <div class={asked.isStale ? 'stale' : ''}>
          {objectives.length > 1 && reply.row.status === 'ok' && (
            <fieldset class="objectives">
              <legend>map of</legend>
              {objectives.map((each) => (
                <label key={each}>
                  <input
                    type="radio"
                    name="objective"
                    checked={each === objective}
                    onChange={() => navigate(addresses.sample(set, run, image, selection, each), { replace: true })}
                  />
                  {each}
                </label>
              ))}
            </fieldset>
          )}
          <Pictures set={set} reply={reply} objective={objective} />
          <div class="columns">
            <section aria-label="numbers">
              <SampleFacts reply={reply} />
            </section>
            <Files reply={reply} objective={objective} />
          </div>
          <Neighbours set={set} reply={reply} selection={selection} objective={wanted} />
        </div>
      )}
    </div>
  )
}

function Files({ reply, objective }: { readonly reply: SampleReply; readonly objective: string }) {
  const map = reply.maps.find((each) => each.objective === objective)
  return (
    <section class="files" aria-labelledby="files">
      <h2 id="files">Files and command</h2>
      <dl>
        <dt>image</dt>
        <dd>
          <Copied text={reply.imageUri} name="the image’s location" />
        </dd>
        {map !== undefined && map.fate === 'stands' && (
          <>
            <dt>map</dt>
            <dd>
              <Copied text={map.uri} name="the map’s location" />
            </dd>
          </>
        )}
        <dt>explain this image alone</dt>
        <dd>
          <Copied text={reply.explain} name="the command" />
          <p class="quiet">It first writes the network’s description to a file in the current folder.</p>
        </dd>
      </dl>
    </section>
  )
}
