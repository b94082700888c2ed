import { useEffect } from 'preact/hooks'
import { errorFigures } from '../../../report/errorFigures.ts'
import { tenth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { everything } from '../../selection.ts'
import type { SetReply } from '../../wire.ts'
import { href, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { NewerRun } from '../parts/newerRun.tsx'
import { AtlasPanel } from '../set/atlasPanel.tsx'
import { Distributions } from '../set/distributions.tsx'
import { ErrorPanel } from '../set/errorPanel.tsx'
import { NamesPanel } from '../set/namesPanel.tsx'
import { NightsPanel } from '../set/nightsPanel.tsx'
import { useReply } from '../useReply.ts'

/** A whole result set: what the network reacts to over pose, where it errs, and how its nights went. */
export function SetScreen({ place, set }: { readonly place: Place; readonly set: string }) {
  const run = place.parameters.get('run')
  const asked = useReply<SetReply>(addresses.setReply(set, run))
  useEffect(() => void (document.title = `${set} – headlight`), [set])
  const { reply } = asked
  return (
    <div class="set">
      <h1 tabIndex={-1}>{set}</h1>
      <Asking asked={asked} />
      {reply !== null && asked.refusal === null && <Whole set={set} reply={reply} />}
    </div>
  )
}

function Whole({ set, reply }: { readonly set: string; readonly reply: SetReply }) {
  const { run, stateRun, aggregates, atlas, summary } = reply
  const chart = (id: string) => reply.charts.find((each) => each.id === id)
  return (
    <>
      <p class="under">
        {reply.network} on <bdi>{reply.dataset}</bdi> · scope {reply.scope} · objectives {reply.objectives.join(', ')} ·
        run {run}
      </p>
      <NewerRun set={set} run={run} link={addresses.set(set)} />
      <p class="lead">
        <a class="button" href={href(addresses.browse(set, run === stateRun ? null : run, everything))}>
          Browse the images
        </a>
      </p>
      <Figures set={set} reply={reply} />
      <Fragment html={chart('stands-out')?.html} />
      {atlas === null ? (
        <p class="note">
          Run {run} has no atlas: an earlier version of headlight closed it, its file is damaged, or no image has a map.{' '}
          <code>headlight report OUTPUT</code> adds up the maps of the state.
        </p>
      ) : (
        <AtlasPanel set={set} run={run} atlas={atlas} />
      )}
      {aggregates === null ? (
        <p class="note">
          Run {run} has no errors by pose, subject or sequence: an earlier version of headlight closed it, or the file
          is damaged. <code>headlight report OUTPUT</code> adds up those of the state.
        </p>
      ) : (
        <ErrorPanel set={set} run={run} aggregates={aggregates} />
      )}
      {chart('bands') !== undefined && (
        <section id="bands" aria-labelledby="bands-name">
          <h2 id="bands-name">Error by |yaw|</h2>
          <Fragment html={chart('bands')?.html} />
        </section>
      )}
      {chart('within') !== undefined && (
        <section id="within" aria-labelledby="within-name">
          <h2 id="within-name">Share of images within an error</h2>
          <Fragment html={chart('within')?.html} />
        </section>
      )}
      <Distributions set={set} run={run} />
      {aggregates !== null && aggregates.subjects.named.length + aggregates.sequences.named.length > 0 && (
        <section id="subjects" aria-labelledby="subjects-name">
          <h2 id="subjects-name">Subjects and sequences</h2>
          <NamesPanel set={set} run={run} what="subjects" names={aggregates.subjects} />
          <NamesPanel set={set} run={run} what="sequences" names={aggregates.sequences} />
        </section>
      )}
      {chart('confidence') !== undefined && (
        <section id="confidence" aria-labelledby="confidence-name">
          <h2 id="confidence-name">Confidence</h2>
          <Fragment html={chart('confidence')?.html} />
        </section>
      )}
      <section id="runs" aria-labelledby="runs-name">
        <h2 id="runs-name">Nights</h2>
        <Fragment html={chart('runs')?.html} />
        <NightsPanel set={set} reply={reply} />
      </section>
      {summary !== null && <Failures set={set} run={run} failures={summary.failures} />}
    </>
  )
}

function Figures({ set, reply: { run, summary } }: { readonly set: string; readonly reply: SetReply }) {
  if (summary === null) return null
  const errors = errorFigures(summary)
  const { total, failed, computed } = summary.counts
  return (
    <dl class="figures">
      <div>
        <dt>images</dt>
        <dd>{whole(total)}</dd>
      </div>
      <div>
        <dt>computed in this run</dt>
        <dd>{whole(computed)}</dd>
      </div>
      <div>
        <dt>failed</dt>
        <dd>
          {failed === 0 ? (
            '0'
          ) : (
            <a href={href(addresses.browse(set, run, { ...everything, status: 'failed' }))}>{whole(failed)}</a>
          )}
        </dd>
      </div>
      {(errors?.columns ?? []).map((column) => (
        <div key={column}>
          <dt>{column === 'mean' ? 'mean absolute error' : `error in ${column}`}</dt>
          <dd>{tenth(errors?.mae[column] ?? 0)}°</dd>
        </div>
      ))}
    </dl>
  )
}

interface FailuresProps {
  readonly set: string
  readonly run: string
  readonly failures: Readonly<Record<string, number>>
}

function Failures({ set, run, failures }: FailuresProps) {
  const codes = Object.entries(failures)
  if (codes.length === 0) return null
  return (
    <section id="failed" aria-labelledby="failed-name">
      <h2 id="failed-name">Failed images</h2>
      <ul>
        {codes.map(([code, count]) => (
          <li key={code}>
            <a href={href(addresses.browse(set, run, { ...everything, status: 'failed', codes: [code] }))}>{code}</a>:{' '}
            {whole(count)}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** A chart of the report's, made by this program on the server. */
function Fragment({ html }: { readonly html: string | undefined }) {
  return html === undefined ? null : <div class="fragment" dangerouslySetInnerHTML={{ __html: html }} />
}
