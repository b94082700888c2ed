import { addresses } from '../../addresses.ts'
import type { StateReply } from '../../wire.ts'
import { href } from '../navigation.ts'
import { usePolled } from '../usePolled.ts'

const lookMs = 10_000

interface NewerRunProps {
  readonly set: string
  /** The one that is shown; null while it is not known. */
  readonly run: string | null
  /** To the same view of the state now, below the base path. */
  readonly link: string
}

/** Says that another run's table is the state now, and leads there. The rows under the reader never change by themselves. */
export function NewerRun({ set, run, link }: NewerRunProps) {
  return run === null ? null : <StateRun key={set} set={set} run={run} link={link} />
}

function StateRun({ set, run, link }: NewerRunProps & { readonly run: string }) {
  // Whatever is wrong, what the reader does next will say.
  const stateRun = usePolled<StateReply>(addresses.stateReply(set), lookMs).reply?.stateRun ?? null
  if (stateRun === null || stateRun === run) return null
  return (
    <p class="newer" role="status">
      {stateRun > run ? 'A newer run has been published.' : 'This is not the current state.'} You are looking at run{' '}
      {run}. <a href={href(link)}>Show {stateRun}</a>
    </p>
  )
}
