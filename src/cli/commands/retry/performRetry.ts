import { errorCodes, InputError } from '../../../base/errors.ts'
import { closest } from '../../../base/spelling.ts'
import { currentRun } from '../../../output/current.ts'
import { namedRun } from '../../../output/namedRun.ts'
import { readSummary } from '../../../output/summary.ts'
import { openStore } from '../../../storage/open.ts'
import type { Store } from '../../../storage/store.ts'
import type { Call } from '../../command.ts'
import { number } from '../../messages/quantities.ts'
import { required } from '../../settings/commandFlags.ts'
import { openDataset } from '../../shared/askedFor.ts'
import { computeHere } from '../../shared/computeHere.ts'
import { refuseAbsentEngine, refuseAbsentGpus } from '../../shared/computing.ts'

/** A run over the failed images of the result set that the named run belongs to; all else is known from its `set.json`. */
export async function performRetry(call: Call): Promise<number> {
  const { settings, operands, log } = call
  const code = typeof call.flags['code'] === 'string' ? call.flags['code'] : null
  await refuseAbsentEngine(call)
  await refuseAbsentGpus(call)
  const uri = required(settings, 'output', 'retry')
  const output = openStore(uri, { endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint, logger: log })
  try {
    await output.check('read')
    const { set, run } = await namedRun(output, operands[0] ?? '')
    if ((run.counts?.left ?? 0) > 0) {
      call.display.write(
        `run ${run.run} was cancelled: retry computes failed images only, headlight run also those that it left`,
      )
    }
    const dataset = openDataset(set)
    try {
      await dataset.check('read')
    } finally {
      dataset.close()
    }
    if (code !== null) await requireFailures(output, set.id, code)
    return await computeHere(call, { output, prepare: () => Promise.resolve(set), retry: { code } })
  } finally {
    output.close()
  }
}

/** A code that no image failed with would make a run over nothing, most likely by a slip. */
async function requireFailures(output: Store, set: string, code: string): Promise<void> {
  const published = await currentRun(output, set)
  const summary = published === null ? undefined : await readSummary(output, set, published)
  const failures = summary?.failures ?? {}
  if ((failures[code] ?? 0) > 0) return
  const present = Object.keys(failures)
  // Before a run is closed nobody knows what failed: then any code that there is may be right.
  const known = summary === undefined ? Object.keys(errorCodes) : present
  if (known.includes(code)) return
  const meant = closest(code, known)
  const counted = present.map((name) => `${name} (${number(failures[name] ?? 0)})`).join(', ')
  const there = present.length === 0 ? `no image of ${set} failed` : `images of ${set} failed with ${counted}`
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`
  throw new InputError('bad-option', `--code ${code}: ${there}${hint}`)
}
