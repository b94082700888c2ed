import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { SampleReply } from '../../wire.ts'
import { Picture } from '../parts/picture.tsx'

interface CroppedProps {
  readonly address: string
  readonly size: NonNullable<SampleReply['imageSize']>
  readonly crop: SampleReply['crop']
}

/** The whole image, with the part that the network saw in a frame. A frame beyond the image is drawn where it is. */
export function Cropped({ address, size: { width, height }, crop }: CroppedProps) {
  const frame = useRef<HTMLDivElement>(null)
  const [pixel, setPixel] = useState(1)
  useLayoutEffect(() => {
    if (frame.current !== null) setPixel(width / Math.max(1, frame.current.clientWidth))
  }, [width])
  return (
    <div class="cropped" ref={frame} style={{ aspectRatio: `${width} / ${height}` }}>
      <Picture address={address} alt="the whole image" width={width} height={height} />
      {crop !== null && (
        <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label="frame of what the network saw">
          <rect
            class="outline"
            x={crop.x0}
            y={crop.y0}
            width={crop.x1 - crop.x0}
            height={crop.y1 - crop.y0}
            strokeWidth={4 * pixel}
          />
          <rect x={crop.x0} y={crop.y0} width={crop.x1 - crop.x0} height={crop.y1 - crop.y0} strokeWidth={2 * pixel} />
        </svg>
      )}
    </div>
  )
}
