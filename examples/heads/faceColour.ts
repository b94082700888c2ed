import { centimetresPerUnit, layerCount, layers, layerSide, ramp } from './faceLayers.ts'
import { coverWithHair } from './hairPaint.ts'
import type { Colour, Identity } from './identity.ts'

/** A surface's own colour, linear light, written into `into`; returns how strongly it mirrors lamps. */
export type Paint = (marks: Float64Array, into: Float64Array) => number

const sclera: Colour = [0.62, 0.58, 0.55]
const centreV = 0.386

/** Skin, eyes, lips, brows, beard: a face's colour by texture coordinates. */
export function facePaint(baked: Float32Array, identity: Identity): Paint {
  const { skin, lips, iris, hair, hairColour, gaze, lids, browStrength, browWidth, beard, moustache, freckles } =
    identity
  const texel = new Float64Array(layerCount)
  return (marks, into) => {
    const u = marks[3]!
    const v = marks[4]!
    sampleLayers(baked, u, v, texel)
    const mottle = 1 + 0.04 * Math.sin(31 * u + 3) * Math.sin(27 * v + hair.phase)
    const dark = mottle * (1 - 0.6 * Math.min(1, texel[layers.shade]!))
    const red = 1 + 0.12 * texel[layers.blush]!
    into[0] = skin[0] * dark * red
    into[1] = skin[1] * dark
    into[2] = skin[2] * dark
    if (freckles > 0) {
      const spot = Math.sin(150 * u + 40 * v) * Math.sin(170 * v - 60 * u + 1)
      if (spot > 0.72) blend(into, hairColour, freckles * texel[layers.blush]! * 0.5)
    }
    const stubble = 0.9 + 0.1 * Math.sin(263 * u + 4 * Math.sin(91 * v)) * Math.sin(241 * v + 4 * Math.sin(83 * u))
    const grown = Math.max(beard * texel[layers.beard]!, moustache * texel[layers.moustache]!)
    if (grown > 0) blend(into, hairColour, grown * 0.92 * stubble)
    blend(into, lips, ramp(texel[layers.lips]!, -0.08, 0.16))
    blend(into, mouthColour, ramp(texel[layers.mouth]!, -0.03, 0.08))
    const strand = 0.88 + 0.12 * Math.sin(380 * u + 190 * v)
    blend(into, hairColour, browStrength * strand * ramp(texel[layers.brow]! + browWidth * 19, -0.1, 0.1))
    const shine = eye(texel[layers.eye]!, u, v, into)
    const covered = coverWithHair(hair, hairColour, marks[0]!, marks[1]!, marks[2]!, into)
    return covered > 0.5 ? 0.07 : shine
  }

  /** Paints over skin inside the lids; returns the gloss there, and the skin's elsewhere. */
  function eye(depth: number, u: number, v: number, into: Float64Array): number {
    if (depth < -0.25) return 0.1
    blend(into, lashes, 0.75 * ramp(depth, -0.19, -0.07) * (lids === 0 ? 0.6 : 1))
    if (lids === 0) {
      blend(into, skin, ramp(depth, 0.02, 0.1) * 0.95)
      return 0.1
    }
    const centreU = u < 0.5 ? 0.352 : 0.648
    // The upper lid comes down as the eye closes.
    const open = ramp(depth, -0.07, 0.0) * ramp(v, centreV - 0.026 * lids - 0.004, centreV - 0.026 * lids + 0.002)
    blend(into, sclera, open)
    const du = u - centreU - gaze[0]
    const dv = v - centreV - gaze[1]
    const away = Math.sqrt(du * du + dv * dv) * centimetresPerUnit
    blend(into, iris, open * ramp(-away, -0.62, -0.54))
    blend(into, black, open * ramp(-away, -0.28, -0.22))
    blend(
      into,
      white,
      open *
        ramp(-Math.sqrt((du + 0.008) * (du + 0.008) + (dv + 0.009) * (dv + 0.009)) * centimetresPerUnit, -0.13, -0.07),
    )
    return 0.1 + 0.3 * open
  }
}

const lashes: Colour = [0.02, 0.015, 0.012]
const mouthColour: Colour = [0.1, 0.015, 0.015]
const black: Colour = [0.004, 0.004, 0.004]
const white: Colour = [0.95, 0.95, 0.95]

export function blend(into: Float64Array, colour: Colour, weight: number): void {
  if (weight <= 0) return
  into[0] = into[0]! + (colour[0] - into[0]!) * weight
  into[1] = into[1]! + (colour[1] - into[1]!) * weight
  into[2] = into[2]! + (colour[2] - into[2]!) * weight
}

/** Bilinear. */
function sampleLayers(baked: Float32Array, u: number, v: number, into: Float64Array): void {
  const column = Math.min(layerSide - 1.001, Math.max(0, u * layerSide - 0.5))
  const row = Math.min(layerSide - 1.001, Math.max(0, v * layerSide - 0.5))
  const left = Math.floor(column)
  const top = Math.floor(row)
  const right = column - left
  const low = row - top
  const at = (top * layerSide + left) * layerCount
  const below = at + layerSide * layerCount
  for (let layer = 0; layer < layerCount; layer++) {
    const upper = baked[at + layer]! * (1 - right) + baked[at + layerCount + layer]! * right
    const lower = baked[below + layer]! * (1 - right) + baked[below + layerCount + layer]! * right
    into[layer] = upper + (lower - upper) * low
  }
}
