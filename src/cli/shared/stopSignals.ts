import { Interrupted } from '../failure.ts'
import type { StopSignal, Surroundings } from '../surroundings.ts'

/**
 * The first SIGINT or SIGTERM calls `onFirst` and aborts `signal` with an `Interrupted`; the second ends the process at
 * once with exit code 130. `done` gives the signals back.
 */
export function stopOnSignal(
  surroundings: Surroundings,
  advice: string,
  onFirst: (signal: StopSignal) => void,
): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController()
  const done = surroundings.onStopSignal((name) => {
    if (controller.signal.aborted) surroundings.exit(130)
    onFirst(name)
    controller.abort(new Interrupted(advice))
  })
  return { signal: controller.signal, done }
}
