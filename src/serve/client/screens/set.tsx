import { errorFigures } from '../../../report/errorFigures.ts'
import { tenth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { everything } from '../../selection.ts'
import type { SetReply } from '../../wire.ts'
import { href, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { NewerRun } from '../parts/newerRun.tsx'
import { ServerHtml } from '../parts/serverHtml.tsx'
import { addressWith } from '../placeAddress.ts'
import { AtlasPanel } from '../set/atlasPanel.tsx'
import { Distributions } from '../set/distributions.tsx'
import { ErrorPanel } from '../set/errorPanel.tsx'
import { NamesPanel } from '../set/namesPanel.tsx'
import { RunsPanel } from '../set/runsPanel.tsx'
import { useReply } from '../useReply.ts'
import { useTitle } from '../useTitle.ts'

/** A whole result set: what the network reacts to over pose, where it errs, and how its runs went. */
export function SetScreen({ place, set }: { readonly place: Place; readonly set: string }) {
  const run = place.parameters.get('run')
  const asked = useReply<SetReply>(addresses.setReply(set, run))
  useTitle(set)
  const { reply } = asked
  return (
    <div class="set">
      <h1 tabIndex={-1}>{set}</h1>
      <Asking asked={asked} />
      {reply !== null && asked.refusal === null && <Whole place={place} set={set} reply={reply} />}
    </div>
  )
}

interface WholeProps {
  readonly place: Place
  readonly set: string
  readonly reply: SetReply
}

function Whole({ place, set, reply }: WholeProps) {
  const { run, stateRun, aggregates, atlas, summary } = reply
  const chart = (id: string) => reply.charts.find((each) => each.id === id)?.html
  const panel = { place, set, run }
  return (
    <>
      <p class="under">
        {reply.network} on <bdi>{reply.dataset}</bdi> · scope {reply.scope} · objectives {reply.objectives.join(', ')} ·
        run {run}
      </p>
      <NewerRun set={set} run={run} link={addressWith(place, { run: null })} />
      <p class="lead">
        <a class="button" href={href(addresses.browse(set, run === stateRun ? null : run, everything))}>
          Browse the images
        </a>
      </p>
      <Figures set={set} reply={reply} />
      <ServerHtml html={chart('stands-out') ?? ''} />
      {atlas === null ? (
        <p class="note">
          Run {run} has no atlas: an earlier version of headlight finished it, its file is damaged, or no image has a
          map. <code>headlight report OUTPUT</code> computes it for the current state.
        </p>
      ) : (
        <AtlasPanel {...panel} atlas={atlas} />
      )}
      {aggregates === null ? (
        <p class="note">
          Run {run} has no errors by pose, subject or sequence: an earlier version of headlight finished it, or the file
          is damaged. <code>headlight report OUTPUT</code> computes them for the current state.
        </p>
      ) : (
        <ErrorPanel {...panel} aggregates={aggregates} />
      )}
      <ChartSection id="bands" name="Error by |yaw|" html={chart('bands')} />
      <ChartSection id="within" name="Share of images within an error" html={chart('within')} />
      <Distributions {...panel} />
      {aggregates !== null && aggregates.subjects.named.length + aggregates.sequences.named.length > 0 && (
        <section id="subjects" aria-labelledby="subjects-name">
          <h2 id="subjects-name">Subjects and sequences</h2>
          <NamesPanel {...panel} what="subjects" names={aggregates.subjects} />
          <NamesPanel {...panel} what="sequences" names={aggregates.sequences} />
        </section>
      )}
      <ChartSection id="confidence" name="Confidence" html={chart('confidence')} />
      <section id="runs" aria-labelledby="runs-name">
        <h2 id="runs-name">Runs</h2>
        <ServerHtml html={chart('runs') ?? ''} />
        <RunsPanel set={set} reply={reply} />
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

interface ChartSectionProps {
  readonly id: string
  readonly name: string
  /** A chart of the report's; undefined: there is none of this set. */
  readonly html: string | undefined
}

function ChartSection({ id, name, html }: ChartSectionProps) {
  return html === undefined ? null : (
    <section id={id} aria-labelledby={`${id}-name`}>
      <h2 id={`${id}-name`}>{name}</h2>
      <ServerHtml html={html} />
    </section>
  )
}
