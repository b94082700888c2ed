import { blend, facePaint, type Paint } from './faceColour.ts'
import { ramp } from './faceLayers.ts'
import { coverWithHair, strands } from './hairPaint.ts'
import type { Colour, Identity } from './identity.ts'
import { materials } from './mesh.ts'

/** A paint for every material of one person, by the material's number. */
export function paintsOf(baked: Float32Array, identity: Identity): Paint[] {
  const { skin, hair, hairColour, glasses } = identity
  const paints: Paint[] = []
  paints[materials.face] = facePaint(baked, identity)
  paints[materials.scalp] = (marks, into) => {
    const x = marks[0]!
    const y = marks[1]!
    const z = marks[2]!
    set(into, skin, 1)
    if (y > 5) blend(into, hairColour, 0.85 * identity.beard * ramp(-z, -1, 3))
    return 0.1 - 0.03 * coverWithHair(hair, hairColour, x, y, z, into)
  }
  paints[materials.ear] = (marks, into) => {
    set(into, skin, 1 - 0.4 * marks[0]!)
    into[0] = into[0]! * 1.08
    return 0.08
  }
  paints[materials.hair] = (marks, into) => {
    const x = marks[0]!
    const y = marks[1]!
    const z = marks[2]!
    const around = Math.atan2(x, z - 1.8) + 0.05 * hair.waviness * Math.sin(0.45 * y + hair.phase)
    const bright = strands(around, hair.phase)
    set(into, hairColour, bright)
    return 0.07 * bright
  }
  const frame: Colour = glasses?.colour ?? skin
  paints[materials.glasses] = (_, into) => (set(into, frame, 1), 0.4)
  paints[materials.lens] = (_, into) => (set(into, darkLens, 1), 0.7)
  paints[materials.neck] = (marks, into) => {
    // The chin's shadow lies on the upper half, the collar's at the foot.
    const t = marks[0]!
    set(into, skin, 0.5 + 0.4 * ramp(t, 0.1, 0.7))
    return 0.05
  }
  paints[materials.cloth] = (marks, into) => {
    const height = marks[0]!
    const aside = marks[1]!
    const bare = identity.collar > 0 && height < 0.3
    set(into, bare ? skin : identity.cloth, bare ? 0.85 : 1)
    if (!bare && identity.clothStripes && Math.sin(height * 1.1 + 0.15 * aside) > 0.2)
      set(into, identity.clothStripes, 1)
    return 0.02
  }
  return paints
}

const darkLens: Colour = [0.012, 0.012, 0.014]

function set(into: Float64Array, colour: Colour, factor: number): void {
  into[0] = colour[0] * factor
  into[1] = colour[1] * factor
  into[2] = colour[2] * factor
}
