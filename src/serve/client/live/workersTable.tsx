import { tenth, whole } from '../../../report/numberText.ts'
import type { LiveReply } from '../../wire.ts'

/** The processes that compute, and how fast. */
export function WorkersTable({ live: { workers, redis, isRedisSilent } }: { readonly live: LiveReply }) {
  if (redis === null) {
    return (
      <p class="quiet">
        No Redis used by a run of this output was found on this machine, so the workers are not known. Name one with
        --redis.
      </p>
    )
  }
  if (isRedisSilent) return <p class="quiet">{redis} does not answer, so the workers are not known.</p>
  if (workers.length === 0) return <p class="quiet">No worker has reported to {redis} within the last minute.</p>
  const rate = workers.reduce((sum, { imagesPerSecond }) => sum + (imagesPerSecond ?? 0), 0)
  return (
    <>
      <p>
        {whole(workers.length)} {workers.length === 1 ? 'worker' : 'workers'}, {tenth(rate)} images/s together.
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-label="Workers">
        <table>
          <thead>
            <tr>
              <th scope="col">worker</th>
              <th scope="col">state</th>
              <th scope="col" class="number">
                images/s
              </th>
              <th scope="col">engine</th>
              <th scope="col">units</th>
              <th scope="col">last report</th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={`${worker.host} ${worker.pid}`}>
                <th scope="row">
                  <bdi>{worker.host}</bdi> {worker.pid}
                </th>
                <td>{worker.state}</td>
                <td class="number">{worker.imagesPerSecond === null ? '–' : tenth(worker.imagesPerSecond)}</td>
                <td>{worker.engine}</td>
                <td>
                  {worker.units} × {worker.device}
                </td>
                <td>{worker.lastSignSecondsAgo} s ago</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
