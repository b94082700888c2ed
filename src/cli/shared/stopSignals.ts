import { Interrupted } from '../failure.ts'
import type { StopSignal, Surroundings } from '../surroundings.ts'

/**
 * The first signal calls `onFirst` and aborts `signal` with an `Interrupted`; the second SIGINT or SIGTERM ends the
 * process at once with exit code 130. SIGHUP is never counted as impatience: the shell tells of a closed terminal once
 * more than the kernel does, and systemd sends it with SIGTERM. `done` gives the signals back.
 */
export function stopOnSignal(
  surroundings: Surroundings,
  advice: string,
  onFirst: (signal: StopSignal) => void,
): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController()
  let isAsked = false
  const done = surroundings.onStopSignal((name) => {
    if (name !== 'SIGHUP') {
      if (isAsked) surroundings.exit(130)
      isAsked = true
    }
    if (controller.signal.aborted) return
    onFirst(name)
    controller.abort(new Interrupted(advice))
  })
  return { signal: controller.signal, done }
}
