import { useEffect, useState } from 'preact/hooks'
import { addresses } from '../../addresses.ts'
import type { StateReply } from '../../wire.ts'
import { href } from '../navigation.ts'
import { ask } from '../useReply.ts'

const lookMs = 10_000

/**
 * Says that another run's table is the state now, and leads there. The rows under the reader never change by themselves.
 *
 * @param run the one that is shown; null while it is not known
 * @param link to the same view of the state now, below the base path
 */
export function NewerRun({
  set,
  run,
  link,
}: {
  readonly set: string
  readonly run: string | null
  readonly link: string
}) {
  const [stateRun, setStateRun] = useState(run)
  useEffect(() => {
    if (run === null) return
    const abort = new AbortController()
    const look = (): void => {
      if (document.visibilityState !== 'visible') return
      ask<StateReply>(addresses.stateReply(set), abort.signal).then(
        (reply) => setStateRun(reply.stateRun),
        // Whatever is wrong, what the reader does next will say.
        () => undefined,
      )
    }
    look()
    const timer = setInterval(look, lookMs)
    return () => {
      clearInterval(timer)
      abort.abort()
    }
  }, [set, run])
  if (run === null || stateRun === null || stateRun === run) return null
  return (
    <p class="newer" role="status">
      {stateRun > run ? 'A newer run has been published.' : 'This is not the state now.'} You see run {run}.{' '}
      <a href={href(link)}>Show {stateRun}</a>
    </p>
  )
}
