import type { Run } from './runs.ts'

/**
 * How an open run is. `interrupted`: nobody holds it; the next run goes on with it. `paused`: held or not. `queued`: added
 * for a standing producer, none has begun it.
 */
export type OpenRunState = 'running' | 'queued' | 'paused' | 'interrupted'

export function openRunState(
  run: Run,
  { paused, held, isBegun }: { readonly paused: boolean; readonly held: boolean; readonly isBegun: boolean },
): OpenRunState {
  if (paused) return 'paused'
  if (held) return 'running'
  return run.queued === true && !isBegun ? 'queued' : 'interrupted'
}
