import { findEngine } from '../saliency/engines/openEngine.ts'
import { checkGradient } from '../saliency/finiteDifferences.ts'
import { checkKnownAnswer } from '../saliency/knownAnswer.ts'
import type { Probe } from './probe.ts'

// The child process in which probe.ts tries an engine. Arguments: the engine and the folder for engines.

const [engine = '', enginesFolder = ''] = process.argv.slice(2)

async function tried(): Promise<Probe> {
  try {
    const open = await findEngine(engine, enginesFolder)
    const { version, device } = await checkKnownAnswer(open)
    await checkGradient(open)
    return { ok: true, version, device }
  } catch (error) {
    const [problem = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    // ONNX Runtime puts the place in its source and the condition before the reason.
    return { ok: false, problem: problem.replace(/^.* was false\. /, '') }
  }
}

// Nobody waits for the answer any more.
process.on('disconnect', () => process.exit())

const probe = await tried()
// Ended by hand: threads of native libraries would keep the process alive.
process.send?.(probe, undefined, undefined, () => process.exit(0))
