import { meanError } from '../../../report/errorFigures.ts'
import { minute, tenth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import type { SetReply } from '../../wire.ts'
import { href } from '../navigation.ts'

type Run = SetReply['runs'][number]

/** The runs, newest first: the set can be looked at as each left it, and compared with the one before. */
export function RunsPanel({ set, reply }: { readonly set: string; readonly reply: SetReply }) {
  const runs = reply.runs.toReversed()
  return (
    <div class="scroll">
      <table class="runs">
        <caption>Runs, newest first</caption>
        <thead>
          <tr>
            <th scope="col">closed</th>
            <th scope="col">look at</th>
            <th scope="col">ended</th>
            <th scope="col" class="number">
              computed
            </th>
            <th scope="col" class="number">
              images
            </th>
            <th scope="col" class="number">
              failed
            </th>
            <th scope="col" class="number">
              error of its own images, °
            </th>
            <th scope="col" class="number">
              error of all images, °
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run, at) => {
            // Not the next one that has a table: it would be taken for the run before, and be another.
            const before = runs.slice(at + 1).find(changedAnything)
            return (
              <tr key={run.run} {...(run.run === reply.run ? { 'aria-current': 'true' } : {})}>
                <th scope="row" title={run.run}>
                  {minute(run.closedAt)}
                </th>
                <td>
                  {run.hasTable ? (
                    <>
                      {run.run === reply.run ? 'shown here' : <a href={href(addresses.set(set, run.run))}>as it was</a>}
                      {before !== undefined && (
                        <>
                          {' · '}
                          {before.hasTable ? (
                            <a href={href(addresses.compare(`${set}/${before.run}`, `${set}/${run.run}`))}>
                              against the run before
                            </a>
                          ) : (
                            <span class="quiet">--keep-runs removed the table of the run before</span>
                          )}
                        </>
                      )}
                    </>
                  ) : (
                    <span class="quiet">{whyNot(run)}</span>
                  )}
                </td>
                <td>{run.state}</td>
                <td class="number">{whole(run.counts.computed)}</td>
                <td class="number">{whole(run.counts.total)}</td>
                <td class="number">{whole(run.counts.failed)}</td>
                <td class="number">{errorOf(run.ownErrors)}</td>
                <td class="number">{errorOf(run.stateErrors)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** A run that changed nothing writes no table. */
function changedAnything({ counts }: Run): boolean {
  return counts.computed + counts.gone > 0
}

function whyNot(run: Run): string {
  return changedAnything(run) ? '--keep-runs removed its table' : 'changed nothing'
}

function errorOf(errors: Run['ownErrors']): string {
  const mean = meanError(errors)
  return mean === null ? '–' : tenth(mean)
}
