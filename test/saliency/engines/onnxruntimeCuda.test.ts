import { homedir } from 'node:os'
import { join } from 'node:path'
import { nvidiaGpus } from '../../../src/machine/gpus.ts'
import { findEngine } from '../../../src/saliency/engines/openEngine.ts'
import { describeEngine, describeNotRun } from '../../support/engineConformance.ts'

const engine = 'onnxruntime:cuda'
const enginesFolder = join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'headlight', 'engines')

/** Null when it can be run. It is not installed for tests: 180 MB, of use only with a GPU. */
async function whyNot(): Promise<string | null> {
  if ((await nvidiaGpus(process.env)).gpus.length === 0) return 'there is no NVIDIA GPU'
  return findEngine(engine, enginesFolder).then(
    () => null,
    (error: unknown) => String(error),
  )
}

const reason = await whyNot()
if (reason === null) {
  describeEngine({ engine, enginesFolder })
} else {
  describeNotRun(engine, reason)
}
