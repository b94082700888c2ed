import { useEffect, useMemo } from 'preact/hooks'
import { whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { readSelection } from '../../selection.ts'
import type { SampleReply } from '../../wire.ts'
import { href, navigate, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { Copied } from '../parts/copied.tsx'
import { NewerRun } from '../parts/newerRun.tsx'
import { SampleFacts } from '../sample/facts.tsx'
import { Neighbours } from '../sample/neighbours.tsx'
import { objectiveOf, Pictures } from '../sample/pictures.tsx'
import { usePreloading } from '../sample/usePreloading.ts'
import { useReply } from '../useReply.ts'

interface SampleScreenProps {
  readonly place: Place
  readonly set: string
  readonly run: string
}

/** One image: what the network saw, what it reacted to, and all that is known of it. */
export function SampleScreen({ place, set, run }: SampleScreenProps) {
  const query = place.parameters.toString()
  const { selection } = useMemo(() => readSelection(place.parameters), [query])
  const image = place.parameters.get('image') ?? ''
  const wanted = place.parameters.get('objective')
  const asked = useReply<SampleReply>(addresses.sampleReply(set, run, image, selection, wanted))
  const { reply } = asked
  const objectives = reply?.objectives ?? []
  const objective = objectiveOf(objectives, wanted)
  // While the next image is on its way the links stay: one that has the focus would lose it.
  const position = asked.refusal === null ? (reply?.position ?? null) : null
  const at = (key: string) => addresses.sample(set, run, key, selection, wanted)
  useEffect(() => void (document.title = `${image} – headlight`), [image])
  const fresh = asked.isStale ? null : position
  useTurning(fresh?.previous ?? null, fresh?.next ?? null, at)
  usePreloading(set, run, fresh?.next ?? null, selection, wanted)

  const step = (key: string | null, text: string, sign: string) =>
    key === null ? (
      <span class="step none">{sign}</span>
    ) : (
      <a class="step" href={href(at(key))} aria-label={text}>
        {sign}
      </a>
    )
  return (
    <div class="sample">
      <header class="sample-head">
        <p class="under">
          <a href={href(addresses.set(set))}>{set}</a> ·{' '}
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
            {reply !== null && position === null && asked.refusal === null && 'not among the images that were chosen'}
          </span>
          {step(position?.next ?? null, 'next image', '→')}
        </p>
        <NewerRun
          set={set}
          run={reply?.run ?? null}
          link={addresses.sample(set, reply?.stateRun ?? run, image, selection, wanted)}
        />
      </header>
      <Asking asked={asked} />
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
          <Neighbours set={set} reply={reply} objective={objective} />
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
          <Copied text={reply.imageUri} name="the place of the image" />
        </dd>
        {map !== undefined && map.fate === 'stands' && (
          <>
            <dt>map</dt>
            <dd>
              <Copied text={map.uri} name="the place of the map" />
            </dd>
          </>
        )}
        <dt>explain it alone</dt>
        <dd>
          <Copied text={reply.explain} name="the command" />
          <p class="quiet">It writes what the network expects and means to a file in the current folder first.</p>
        </dd>
      </dl>
    </section>
  )
}

/** The arrow keys turn to the image before and after, unless they move something that has the focus. */
function useTurning(previous: string | null, next: string | null, at: (key: string) => string): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target instanceof Element ? event.target : null
      if (target?.closest('input, select, textarea') !== null && target !== null) return
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
      const key = event.key === 'ArrowLeft' ? previous : event.key === 'ArrowRight' ? next : null
      if (key === null) return
      event.preventDefault()
      navigate(at(key))
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [previous, next, at])
}
