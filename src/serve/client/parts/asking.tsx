import type { Asked } from '../useReply.ts'

/** What is to be seen instead of an answer, or while it takes a while; nothing once it is there. */
export function Asking({ asked }: { readonly asked: Asked<unknown> }) {
  const { reply, waiting, refusal } = asked
  if (refusal !== null) {
    return (
      <p class="refusal" role="alert">
        {refusal.message} <a href={`${location.pathname}${location.search}`}>Try again</a>
      </p>
    )
  }
  if (waiting !== null) {
    return (
      <p class="waiting" role="status">
        {waiting.text}{' '}
        {waiting.total > 0 && <progress value={waiting.done} max={waiting.total} aria-label={waiting.text} />}
      </p>
    )
  }
  return reply === null ? (
    <p class="waiting" role="status">
      loading
    </p>
  ) : null
}
