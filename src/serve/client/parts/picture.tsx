import { useEffect, useRef } from 'preact/hooks'
import { href } from '../navigation.ts'
import { usePictureAgain } from './usePictureAgain.ts'

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
  const { broken, onError } = usePictureAgain(address)
  const isBroken = broken !== null
  const image = useRef<HTMLImageElement>(null)
  useEffect(() => {
    const shown = image.current
    // A browser goes on loading a picture that has left the page, and those in sight would wait for it.
    return () => {
      if (shown?.complete === false) shown.removeAttribute('src')
    }
  }, [isBroken])
  if (isBroken) {
    const text = broken.refusal?.message ?? broken.waiting?.text ?? 'loading'
    return (
      <div
        class={`picture none ${className ?? ''}`}
        role="img"
        aria-label={`${alt}: ${text}`}
        style={{ aspectRatio: `${width} / ${height}` }}
      >
        {text}
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
      onError={onError}
    />
  )
}
