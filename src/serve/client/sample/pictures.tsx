import { fateTexts } from '../../../report/compare/fateTexts.ts'
import { addresses, type PictureKind } from '../../addresses.ts'
import type { SampleReply } from '../../wire.ts'
import { Slider } from '../parts/slider.tsx'
import { Cropped } from './cropped.tsx'

interface PicturesProps {
  readonly set: string
  readonly reply: SampleReply
  readonly objective: string
}

type Fate = SampleReply['maps'][number]['fate']

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

function fateOf({ maps }: SampleReply, objective: string): Fate {
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
          <figcaption>the whole image; the frame marks what the network saw</figcaption>
        </figure>
      )}
      {input !== null && map !== null && overlay !== null && (
        <>
          <figure>
            <Slider under={saw(input)} over={{ address: map, name: `map of ${objective}` }} {...inputSize} />
          </figure>
          <figure>
            <Slider under={saw(input)} over={{ address: overlay, name: 'magnitude on top' }} {...inputSize} />
          </figure>
        </>
      )}
      {fate !== 'stands' && <p class="note">{whyNoMap(fate)}</p>}
    </div>
  )
}

/** As a sentence. */
function whyNoMap(fate: Exclude<Fate, 'stands'>): string {
  if (fate === 'none') return 'It failed, so it has no map.'
  const why = `The map is not shown: ${fateTexts[fate]}.`
  return fate === 'overwritten' ? `${why} The image is shown as it is in the dataset now.` : why
}
