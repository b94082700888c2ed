import type { Box, Truth } from '../../../dataset/adapter.ts'
import type { DecodedImage } from '../../../image/codec.ts'
import type { Tile } from '../../../image/contactSheet.ts'
import { cropToInput } from '../../../image/crop.ts'
import { rotationOf } from '../../../pose/geodesic.ts'

export const tileSide = 160
/** How much more than the box a tile shows. */
const surroundings = 1.6
/** Of the box's longer side. */
const axisLength = 0.45

/**
 * A sample as a tile of the contact sheet: the box and its surroundings, or the whole image, with the axes of the head in
 * the middle. Raises SampleError `bad-label` for a box that shows nothing of the image.
 */
export function tileOf(image: DecodedImage, { box, pose }: Truth): Tile {
  const whole = { x0: 0, y0: 0, x1: image.width, y1: image.height }
  // A box far outside must not come in by its surroundings.
  if (box) cropToInput(image, box, { width: 1, height: 1, resize: 'stretch' })
  const { x, y, side } = squareAround(box ?? whole)
  const view = side * (box ? surroundings : 1)
  const region = { x0: x - view / 2, y0: y - view / 2, x1: x + view / 2, y1: y + view / 2 }
  const rule = { width: tileSide, height: tileSide, resize: 'stretch' } as const
  const { pixels, crop } = cropToInput(image, region, rule)
  const [left, top, right, bottom] = crop
  const place = (column: number, row: number): readonly [number, number] => [
    ((column - left) * tileSide) / (right - left),
    ((row - top) * tileSide) / (bottom - top),
  ]
  const [x0, y0] = place(box?.x0 ?? 0, box?.y0 ?? 0)
  const [x1, y1] = place(box?.x1 ?? 0, box?.y1 ?? 0)
  const length = side * axisLength
  const end = (across: number, down: number) => place(x + length * across, y + length * down)
  const rotation = pose && rotationOf(pose)
  return {
    pixels,
    box: box ? { x0, y0, x1, y1 } : null,
    axes: rotation && {
      from: place(x, y),
      // The head's own x and y, and against its z: the nose looks at the camera.
      to: [
        end(rotation[0][0], rotation[1][0]),
        end(rotation[0][1], rotation[1][1]),
        end(-rotation[0][2], -rotation[1][2]),
      ],
    },
  }
}

function squareAround({ x0, y0, x1, y1 }: Box): { x: number; y: number; side: number } {
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, side: Math.max(x1 - x0, y1 - y0) }
}
