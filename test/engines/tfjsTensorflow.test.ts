import { fileURLToPath } from 'node:url'
import type * as Installation from '../../src/engines/tfjsInstallation.ts'
import { describeEngine, describeNotRun, everything } from './conformance.ts'

// The built module: it tries the engine in a child process, which has to be JavaScript.
const { installTfjs } = (await import(
  new URL('../../dist/engines/tfjsInstallation.js', import.meta.url).href
)) as typeof Installation

const engine = 'tfjs:tensorflow'
const enginesFolder = fileURLToPath(new URL('../../node_modules/.cache/headlight-engines', import.meta.url))

process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
// A registry that cannot be reached must not hold the tests up.
process.env['PIP_RETRIES'] ??= '0'
process.env['PIP_DEFAULT_TIMEOUT'] ??= '10'

/** Null when it is there, built now or by an earlier run; else why it is not. */
async function whyNot(): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(240_000)
    await installTfjs({
      enginesFolder,
      tensorflow: undefined,
      cuda: false,
      environment: process.env,
      say: () => undefined,
      signal,
    })
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const reason = await whyNot()
if (reason === null) {
  describeEngine({ ...everything, engine, enginesFolder })
} else {
  describeNotRun(engine, reason)
}
