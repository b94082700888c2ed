import { href } from '../navigation.ts'

interface UnreadProps {
  /** A sentence for each parameter that cannot be read. */
  readonly problems: readonly string[]
  /** The address without them, below the base path. */
  readonly link: string
}

/** In place of what an address means: something else than was meant would be shown without them. */
export function Unread({ problems, link }: UnreadProps) {
  return (
    <div class="refusal" role="alert">
      {problems.map((problem) => (
        <p key={problem}>{problem}</p>
      ))}
      <p>
        <a href={href(link)}>Clear {problems.length === 1 ? 'it' : 'them'}</a>
      </p>
    </div>
  )
}
