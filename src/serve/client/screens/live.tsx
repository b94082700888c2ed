import { addresses } from '../../addresses.ts'
import type { LiveReply } from '../../wire.ts'
import { LatestMaps } from '../live/latestMaps.tsx'
import { RunFigures } from '../live/runFigures.tsx'
import { WorkersTable } from '../live/workersTable.tsx'
import { Asking } from '../parts/asking.tsx'
import { usePolled } from '../usePolled.ts'
import { useTitle } from '../useTitle.ts'

const lookMs = 2_000

/** What is in progress. It shows, and acts on nothing. */
export function LiveScreen() {
  const asked = usePolled<LiveReply>(addresses.liveReply(), lookMs)
  const { reply } = asked
  useTitle('live')
  return (
    <>
      <h1 tabIndex={-1}>Live</h1>
      <Asking asked={asked} />
      {reply !== null && (
        <>
          <p class="quiet">As of {reply.at.slice(11, 19)} UTC; updated every two seconds while this page is visible.</p>
          <section aria-labelledby="runs-name">
            <h2 id="runs-name">Runs in progress</h2>
            {reply.runs.length === 0 && <p>No run is in progress.</p>}
            {reply.runs.map((run) => (
              <article key={`${run.set}/${run.run}`} class="live-run" aria-label={`Run ${run.run} of ${run.set}`}>
                <RunFigures run={run} />
                <LatestMaps run={run} />
              </article>
            ))}
          </section>
          <section aria-labelledby="workers-name">
            <h2 id="workers-name">Workers</h2>
            <WorkersTable live={reply} />
          </section>
        </>
      )}
    </>
  )
}
