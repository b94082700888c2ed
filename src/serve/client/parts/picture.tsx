import { useEffect, useRef, useState } from 'preact/hooks'
import { href } from '../navigation.ts'
import { ask, problemOf } from '../useReply.ts'

export interface PictureProps {
  /** Below the base path. */
  readonly address: string
  readonly alt: string
  readonly width: number
  readonly height: number
  readonly isLazy?: boolean
  /** Between two pictures of one size the first stays in sight. */
  readonly className?: string
}

/** A picture of the server's; where it cannot be had, a field of its size that says why. */
export function Picture({ address, alt, width, height, isLazy = false, className }: PictureProps) {
  const [failed, setFailed] = useState<string | null>(null)
  const [reason, setReason] = useState<string | null>(null)
  const isFailed = failed === address
  const image = useRef<HTMLImageElement>(null)
  useEffect(() => {
    const shown = image.current
    // A browser goes on loading a picture that has left the page, and those in sight would wait for it.
    return () => {
      if (shown?.complete === false) shown.removeAttribute('src')
    }
  }, [isFailed])
  useEffect(() => {
    if (!isFailed) return
    // An image element does not tell what its answer said, so it is asked for once more. It may also have come by now:
    // a table that was still being read, or a store that was busy.
    const abort = new AbortController()
    setReason(null)
    ask<unknown>(
      address,
      abort.signal,
      () => undefined,
      async () => setFailed(null),
    ).catch((error: unknown) => {
      if (!abort.signal.aborted) setReason(problemOf(error).message)
    })
    return () => abort.abort()
  }, [isFailed, address])
  if (isFailed) {
    return (
      <div
        class={`picture none ${className ?? ''}`}
        role="img"
        aria-label={`${alt}: ${reason ?? 'not to be had'}`}
        style={{ aspectRatio: `${width} / ${height}` }}
      >
        {reason ?? 'loading'}
      </div>
    )
  }
  return (
    <img
      ref={image}
      class={`picture ${className ?? ''}`}
      src={href(address)}
      alt={alt}
      width={width}
      height={height}
      loading={isLazy ? 'lazy' : 'eager'}
      decoding="async"
      onError={() => setFailed(address)}
    />
  )
}
