import type { Call } from '../../command.ts'
import { askedFor } from '../../shared/askedFor.ts'
import { computeHere } from '../../shared/computeHere.ts'
import { refuseAbsentEngine, refuseAbsentGpus } from '../../shared/computing.ts'

/** `headlight run`. */
export async function performRun(call: Call): Promise<number> {
  await refuseAbsentEngine(call)
  await refuseAbsentGpus(call)
  const asked = await askedFor(call, 'run')
  try {
    return await computeHere(call, { output: asked.output, prepare: () => asked.prepare() })
  } finally {
    asked.dataset.close()
    asked.output.close()
  }
}
