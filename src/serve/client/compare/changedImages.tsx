import { angleNames, type AngleName } from '../../../pose/euler.ts'
import { fateTexts } from '../../../report/compare/fateTexts.ts'
import { hundredth, signedTenth, tenth, trueSignedHundredth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { everything } from '../../selection.ts'
import { wantedObjective } from '../../wantedObjective.ts'
import type { ComparedSide, CompareReply } from '../../wire.ts'
import { href, navigate } from '../navigation.ts'
import { Picture } from '../parts/picture.tsx'
import { Slider } from '../parts/slider.tsx'

type Change = CompareReply['largest'][number]

interface ChangedImagesProps {
  readonly reply: CompareReply
  /** Whose maps are asked for; null: the first that both have. */
  readonly objective: string | null
  /** The address of this view with the maps of another objective. */
  readonly addressOf: (objective: string) => string
}

/** The images that changed most, with the maps of both sides one over the other. */
export function ChangedImages({ reply, objective, addressOf }: ChangedImagesProps) {
  const { largest, largestBy, objectives } = reply
  const shown = wantedObjective(objectives, objective)
  const what = {
    error: 'whose mean error over the angles changed most, for better or worse',
    estimate: 'whose estimates differ most, averaged over the angles',
    maps: 'whose maps are least alike (no estimate differs)',
  }[largestBy]
  return (
    <>
      <p>
        The {whole(largest.length)} images {what}. They were chosen for being extreme: they show what can happen, not
        what is typical.
        {objectives.length > 1 && ` The correlation of maps is the mean over ${whole(objectives.length)} objectives.`}
      </p>
      {shown === null && <p>The two result sets have no objective in common, so there are no maps to compare.</p>}
      {objectives.length > 1 && (
        <div class="controls">
          <label>
            Maps of
            <select value={shown ?? ''} onChange={({ currentTarget: { value } }) => navigate(addressOf(value))}>
              {objectives.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
      )}
      <ul class="cards changes">
        {largest.map((change) => (
          <ChangedImage key={change.key} change={change} reply={reply} objective={shown} />
        ))}
      </ul>
    </>
  )
}

function ChangedImage(props: {
  readonly change: Change
  readonly reply: CompareReply
  readonly objective: string | null
}) {
  const { change, reply, objective } = props
  const { key, subject, sequence } = change
  const named = [subject, sequence].filter((name) => name !== null)
  return (
    <li class="card">
      <p class="key">
        <bdi>{key}</bdi>
      </p>
      <p class="answer">
        {changeText(change, reply.largestBy)}
        {named.map((name) => (
          <span key={name} class="quiet">
            {' '}
            · <bdi>{name}</bdi>
          </span>
        ))}
      </p>
      {objective !== null && <BothMaps change={change} reply={reply} objective={objective} />}
      <Angles change={change} />
      <p class="answer">
        Sample:{' '}
        <a
          href={href(addresses.sample(reply.a.set, reply.a.run, key, everything, objective))}
          aria-label={`in A: ${key}`}
        >
          in A
        </a>{' '}
        ·{' '}
        <a
          href={href(addresses.sample(reply.b.set, reply.b.run, key, everything, objective))}
          aria-label={`in B: ${key}`}
        >
          in B
        </a>
      </p>
    </li>
  )
}

/** Maps over the image: where both stand, one over the other, else what there is, and why the other is not shown. */
function BothMaps({ change, reply, objective }: { change: Change; reply: CompareReply; objective: string }) {
  const { key, fates } = change
  const address = ({ set, stateRun }: ComparedSide) => addresses.picture(set, stateRun, key, 'overlay', objective)
  const { a, b } = reply
  if (fates.a === 'stands' && fates.b === 'stands') {
    return (
      <Slider
        over={{ address: address(a), name: 'A' }}
        under={{ address: address(b), name: 'B' }}
        width={a.inputSize.width}
        height={a.inputSize.height}
        isLazy
      />
    )
  }
  return (
    <>
      {(['a', 'b'] as const).map((side) => {
        const name = side.toUpperCase()
        const fate = fates[side]
        return fate === 'stands' ? (
          <figure class="side" key={side}>
            <figcaption>{name}</figcaption>
            <Picture address={address(reply[side])} alt={`map of ${name}`} {...reply[side].inputSize} isLazy />
          </figure>
        ) : (
          <p class="answer" key={side}>
            The map of {name} is not shown: {fateTexts[fate]}.
          </p>
        )
      })}
    </>
  )
}

function changeText({ delta, disagreement, likeness }: Change, by: CompareReply['largestBy']) {
  const alike = likeness === null ? null : `maps correlate at ${hundredth(likeness)}`
  if (by === 'maps') return alike
  return (
    <>
      {by === 'error' ? (
        <>
          <strong>{trueSignedHundredth(delta ?? 0)}°</strong> {(delta ?? 0) > 0 ? 'worse' : 'better'}
        </>
      ) : (
        <>
          estimates <strong>{tenth(disagreement ?? 0)}°</strong> apart
        </>
      )}
      {alike !== null && ` · ${alike}`}
    </>
  )
}

function Angles({ change: { label, a, b } }: { readonly change: Change }) {
  const isLabelled = angleNames.some((angle) => label[angle] !== null)
  const rows: [string, Readonly<Record<AngleName, number | null>>][] = [
    ...(isLabelled ? [['label', label] as [string, typeof label]] : []),
    ['A', a],
    ['B', b],
  ]
  return (
    <table class="angles">
      <thead>
        <tr>
          <td />
          {angleNames.map((angle) => (
            <th key={angle} scope="col">
              {angle}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, values]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {angleNames.map((angle) => (
              <td key={angle}>{values[angle] === null ? '' : signedTenth(values[angle])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
