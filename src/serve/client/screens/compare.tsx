import { addresses } from '../../addresses.ts'
import type { CompareReply } from '../../wire.ts'
import { ChangedImages } from '../compare/changedImages.tsx'
import { ComparedChoice } from '../compare/comparedChoice.tsx'
import { DifferencePanel } from '../compare/differencePanel.tsx'
import { href, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { ServerHtml } from '../parts/serverHtml.tsx'
import { addressWith } from '../placeAddress.ts'
import { useReply } from '../useReply.ts'
import { useTitle } from '../useTitle.ts'

/** Two result sets or runs, held against each other. */
export function CompareScreen({ place }: { readonly place: Place }) {
  const { parameters } = place
  const a = parameters.get('a')
  const b = parameters.get('b')
  const objective = parameters.get('objective')
  const asked = useReply<CompareReply>(a === null ? null : addresses.compareReply(a, b))
  // Another pair's numbers under this pair's choice would be read as its own.
  const reply = asked.isStale ? null : asked.reply
  const title = reply === null ? 'Compare' : reply.title
  useTitle(title)
  const sides = a === null ? { a: null, b: null } : b === null ? { a: reply && nameOf(reply.a), b: a } : { a, b }
  return (
    <>
      <div class="comparing">
        <p class="kicker">compare</p>
        <h1 tabIndex={-1}>{title}</h1>
        {reply !== null && <ServerHtml class="under" html={reply.sides} />}
        <ComparedChoice place={place} a={sides.a} b={sides.b} />
        {a === null ? (
          <p>Choose two result sets of one dataset, or two runs of one result set.</p>
        ) : (
          <Asking asked={{ ...asked, reply }} />
        )}
        {reply !== null && (
          <>
            <nav class="sections" aria-label="Sections">
              {sectionsOf(reply).map(({ id, name }) => (
                <a key={id} href={`#${id}`}>
                  {name}
                </a>
              ))}
            </nav>
            <ServerHtml html={reply.figures} />
          </>
        )}
      </div>
      {reply !== null &&
        sectionsOf(reply).map(({ id, name, html }) => (
          <section key={id} id={id} aria-labelledby={`${id}-name`}>
            <h2 id={`${id}-name`}>{name}</h2>
            {html !== null && <ServerHtml html={html} />}
            {id === 'pose' && reply.pose !== null && (
              <>
                <DifferencePanel place={place} b={reply.b} cells={reply.pose.cells} />
                <ServerHtml class="plots" html={reply.pose.bands} />
              </>
            )}
            {id === 'changes' && (
              <ChangedImages
                reply={reply}
                objective={objective}
                addressOf={(other) => addressWith(place, { objective: other })}
              />
            )}
          </section>
        ))}
      {reply !== null && (
        <p class="quiet">
          <a href={href(addresses.set(reply.a.set, reply.a.run))}>A alone</a> ·{' '}
          <a href={href(addresses.set(reply.b.set, reply.b.run))}>B alone</a>
        </p>
      )}
    </>
  )
}

const nameOf = ({ set, run }: CompareReply['a']): string => `${set}/${run}`

/** In the order of the command's page. `html`: what stands first, of headlight's own server. */
function sectionsOf(reply: CompareReply): readonly { id: string; name: string; html: string | null }[] {
  const { sections, pose, largest } = reply
  const of = (...ids: string[]) => sections.filter(({ id }) => ids.includes(id))
  return [
    ...of('difference'),
    ...(pose === null ? [] : [{ id: 'pose', name: 'Over pose', html: pose.text }]),
    ...sections.filter(({ id }) => id !== 'difference' && id !== 'made'),
    ...(largest.length === 0 ? [] : [{ id: 'changes', name: 'Largest changes', html: null }]),
    ...of('made'),
  ]
}
