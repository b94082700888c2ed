import { colourAt, overlayColours, type Colours } from '../../image/overlay.ts'

/** What a picture of an atlas shows, and so how its numbers are coloured. */
export type AtlasView = 'mean' | 'difference' | 'input'

/**
 * Blue for less, orange for more, dark for equal: lightness rises evenly and alike on both sides, as it does in the colours
 * of the maps beside it, and neither the light nor the dark page glares through.
 */
const differenceColours: Colours = [
  [0xa9, 0xd9, 0xff],
  [0x6f, 0xb0, 0xea],
  [0x3f, 0x86, 0xc4],
  [0x25, 0x5a, 0x8c],
  [0x18, 0x34, 0x54],
  [0x14, 0x16, 0x1b],
  [0x4c, 0x2a, 0x12],
  [0x84, 0x48, 0x1b],
  [0xbf, 0x6e, 0x29],
  [0xe8, 0x9b, 0x57],
  [0xff, 0xd2, 0xa3],
]

const greys: Colours = [
  [0, 0, 0],
  [255, 255, 255],
]

/** Evenly spaced, from the lower end of the view's scale to the upper one. */
export const viewColours: Readonly<Record<AtlasView, Colours>> = {
  mean: overlayColours,
  difference: differenceColours,
  input: greys,
}

/** The ends of a scale. */
export interface Scale {
  readonly low: number
  readonly high: number
}

/** Steps of a scale: as many as a picture's channel has. */
const steps = 256

/** The view's colours from the lower end of its scale to the upper one, RGB. */
export function colourTable(view: AtlasView): Uint8Array {
  const table = new Uint8Array(steps * 3)
  for (const at of table.keys()) {
    table[at] = Math.round(colourAt(Math.floor(at / 3) / (steps - 1), at % 3, viewColours[view]))
  }
  return table
}

/** Where the colour of a value stands in a `colourTable`; what lies beyond the scale has the colour of its end. */
export function tablePlace(value: number, { low, high }: Scale): number {
  // Where nothing differs, the scale has no length and every colour is the middle one.
  const strength = high === low ? 0.5 : Math.min(1, Math.max(0, (value - low) / (high - low)))
  return 3 * Math.round(strength * (steps - 1))
}
