import { minute, tenth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import type { LiveRun } from '../../wire.ts'
import { href } from '../navigation.ts'

/** How far one run is, and what failed of it. */
export function RunFigures({ run }: { readonly run: LiveRun }) {
  const { done, total, imagesPerSecond, failuresByCode, read } = run
  const left =
    total === null || imagesPerSecond === null || imagesPerSecond === 0 ? null : (total - done) / imagesPerSecond
  const failures = Object.entries(failuresByCode)
  return (
    <>
      <p>
        <a href={href(addresses.set(run.set))}>
          <bdi>{run.set}</bdi>
        </a>
        , {run.network}; run {run.run}, {run.state}, started {minute(run.startedAt)}
      </p>
      <dl class="figures">
        <div>
          <dt>done</dt>
          <dd>
            {whole(done)}
            <small>{total === null ? 'still listing the dataset' : `of ${whole(total)} new or changed`}</small>
          </dd>
        </div>
        <div>
          <dt>images/s, last minute</dt>
          <dd>
            {imagesPerSecond === null ? '–' : tenth(imagesPerSecond)}
            {left !== null && left > 0 && <small>about {durationText(left)} left</small>}
          </dd>
        </div>
        <div>
          <dt>failed</dt>
          <dd>
            {whole(failures.reduce((sum, [, count]) => sum + count, 0))}
            <small>of {whole(read)} whose records were read</small>
          </dd>
        </div>
      </dl>
      {total !== null && total > 0 && (
        <progress class="run" value={done} max={total} aria-label={`${whole(done)} of ${whole(total)} images done`} />
      )}
      {failures.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">failed with</th>
              <th scope="col" class="number">
                images
              </th>
            </tr>
          </thead>
          <tbody>
            {failures.map(([code, count]) => (
              <tr key={code}>
                <th scope="row">
                  <code>{code}</code>
                </th>
                <td class="number">{whole(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${tenth(seconds / 3600)} h`
}
