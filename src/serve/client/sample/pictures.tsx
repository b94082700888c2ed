import { addresses, type PictureKind } from '../../addresses.ts'
import type { SampleReply } from '../../wire.ts'
import { Slider } from '../parts/slider.tsx'
import { Cropped } from './cropped.tsx'

const fateTexts = {
  overwritten: 'A later run has overwritten its map. The image is shown as it lies in the dataset now.',
  gone: 'Its image is no longer in the state, so the map that lies there may be another’s.',
  unknown: 'Whether the map is still that of this run is not known: an earlier version of headlight wrote it.',
  none: 'It failed, so it has no map.',
} as const

interface PicturesProps {
  readonly set: string
  readonly reply: SampleReply
  readonly objective: string
}

const saw = (address: string) => ({ address, name: 'what the network saw' })

/** Addresses of the pictures of an image that can be had; the others are null. */
export function picturesOf(set: string, reply: SampleReply, objective: string) {
  const { run, row, imageSize } = reply
  const address = (show: PictureKind, of: string | null) => addresses.picture(set, run, row.key, show, of)
  const stands = fateOf(reply, objective) === 'stands'
  return {
    image: imageSize === null ? null : address('image', null),
    input: stands ? address('input', null) : null,
    map: stands ? address('map', objective) : null,
    overlay: stands ? address('overlay', objective) : null,
  }
}

/** The one that was asked for, where the set has it; else its first. */
export function objectiveOf(objectives: readonly string[], wanted: string | null): string {
  return wanted !== null && objectives.includes(wanted) ? wanted : (objectives[0] ?? '')
}

function fateOf({ maps }: SampleReply, objective: string): SampleReply['maps'][number]['fate'] {
  return maps.find((map) => map.objective === objective)?.fate ?? 'unknown'
}

/** The whole image, and its map and overlay over what the network saw; in place of what cannot be had, why not. */
export function Pictures({ set, reply, objective }: PicturesProps) {
  const { imageSize, crop, inputSize } = reply
  const { image, input, map, overlay } = picturesOf(set, reply, objective)
  const fate = fateOf(reply, objective)
  return (
    <div class="pictures-row">
      {imageSize !== null && image !== null && (
        <figure>
          <Cropped address={image} size={imageSize} crop={crop} />
          <figcaption>the whole image; in the frame, what the network saw</figcaption>
        </figure>
      )}
      {input !== null && map !== null && overlay !== null && (
        <>
          <figure>
            <Slider under={saw(input)} over={{ address: map, name: `map of ${objective}` }} {...inputSize} />
          </figure>
          <figure>
            <Slider under={saw(input)} over={{ address: overlay, name: 'magnitude over it' }} {...inputSize} />
          </figure>
        </>
      )}
      {fate !== 'stands' && <p class="note">{fateTexts[fate]}</p>}
    </div>
  )
}
