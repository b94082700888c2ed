import type { SampleReply } from '../../wire.ts'
import { Picture } from '../parts/picture.tsx'

interface CroppedProps {
  readonly address: string
  readonly size: NonNullable<SampleReply['imageSize']>
  readonly crop: SampleReply['crop']
}

/** The whole image, with the part that the network saw in a frame. A frame beyond the image is drawn where it is. */
export function Cropped({ address, size: { width, height }, crop }: CroppedProps) {
  const rectangle = crop && { x: crop.x0, y: crop.y0, width: crop.x1 - crop.x0, height: crop.y1 - crop.y0 }
  return (
    <div class="cropped" style={{ aspectRatio: `${width} / ${height}` }}>
      <Picture address={address} alt="the whole image" width={width} height={height} />
      {rectangle !== null && (
        <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label="frame of what the network saw">
          <rect class="outline" {...rectangle} />
          <rect {...rectangle} />
        </svg>
      )}
    </div>
  )
}
