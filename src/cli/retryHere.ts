import { errorCodes, InputError } from '../errors.ts'
import { namedRun } from '../producer/namedRun.ts'
import { closest } from '../spelling.ts'
import { openStore } from '../storage/open.ts'
import type { Call } from './command.ts'
import { required } from './options.ts'
import { openDataset } from './resultSetOf.ts'
import { computeHere } from './runHere.ts'

/** A run over the failed images of the result set that the named run belongs to; all else is known from its `set.json`. */
export async function performRetry(call: Call): Promise<number> {
  const { settings, operands, log } = call
  const code = wantedCode(call.flags['code'])
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
    return await computeHere(call, { output, prepare: () => Promise.resolve(set), retry: { code } })
  } finally {
    output.close()
  }
}

function wantedCode(given: unknown): string | null {
  if (typeof given !== 'string') return null
  const known = Object.keys(errorCodes)
  if (known.includes(given)) return given
  const meant = closest(given, known)
  throw new InputError(
    'bad-option',
    `--code ${given} is no code of a failed image${meant === undefined ? '; failures.csv shows them' : `; did you mean ${meant}?`}`,
  )
}
