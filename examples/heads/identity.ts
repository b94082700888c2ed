import type { HairStyle } from './hairline.ts'
import type { Random } from './random.ts'
import { randomWarp, type Warp } from './warp.ts'

/** Linear light, each in [0, 1]. */
export type Colour = readonly [red: number, green: number, blue: number]

export interface Glasses {
  readonly colour: Colour
  /** Half width and half height of a lens, radius of the rim's wire, centimetres; how square a lens is (2 an ellipse). */
  readonly halfWidth: number
  readonly halfHeight: number
  readonly wire: number
  readonly squareness: number
  readonly dark: boolean
}

/** All that makes a person, whatever way they turn. */
export interface Identity {
  readonly warp: Warp
  readonly skin: Colour
  readonly freckles: number
  readonly lips: Colour
  readonly iris: Colour
  /** Where the eyes look, in face texture units. */
  readonly gaze: readonly [number, number]
  /** 0 shut … 1 wide open. */
  readonly lids: number
  readonly hair: HairStyle
  readonly hairColour: Colour
  readonly browStrength: number
  readonly browWidth: number
  /** 0 shaved … 1 full. */
  readonly beard: number
  readonly moustache: number
  readonly earSize: number
  readonly neckWidth: number
  readonly glasses: Glasses | null
  readonly cloth: Colour
  readonly clothStripes: Colour | null
  readonly collar: number
}

const skins: readonly Colour[] = [
  [0.78, 0.53, 0.42],
  [0.72, 0.45, 0.33],
  [0.6, 0.36, 0.24],
  [0.46, 0.26, 0.16],
  [0.3, 0.16, 0.09],
  [0.16, 0.08, 0.05],
  [0.09, 0.045, 0.03],
]
const hairs: readonly Colour[] = [
  [0.012, 0.01, 0.01],
  [0.03, 0.018, 0.012],
  [0.07, 0.035, 0.018],
  [0.14, 0.07, 0.03],
  [0.32, 0.2, 0.09],
  [0.5, 0.36, 0.18],
  [0.25, 0.07, 0.03],
  [0.3, 0.3, 0.31],
  [0.6, 0.6, 0.6],
]
const irises: readonly Colour[] = [
  [0.05, 0.025, 0.012],
  [0.1, 0.05, 0.02],
  [0.12, 0.12, 0.05],
  [0.1, 0.2, 0.35],
  [0.2, 0.25, 0.27],
]

export function randomIdentity(random: Random): Identity {
  const male = random.chance(0.55)
  const mouthOpen = random.chance(0.3) ? random.between(0, 1.3) : 0
  const warp = randomWarp(random, mouthOpen)
  const tone = (skins.length - 1) * Math.pow(random.next(), 1.5)
  const skin = vary(random, mix(skins[Math.floor(tone)]!, skins[Math.ceil(tone)]!, tone % 1), 0.08)
  const hairColour = vary(random, tone > 3.5 && random.chance(0.8) ? hairs[0]! : random.pick(hairs), 0.2)
  const kind = male
    ? random.pick(['none', 'short', 'short', 'short', 'short', 'short', 'short', 'long'] as const)
    : random.pick(['short', 'long', 'long', 'long', 'short'] as const)
  const bearded = male && random.chance(0.45)
  return {
    warp,
    skin,
    freckles: random.chance(0.2) ? random.between(0.1, 0.5) : 0,
    lips: mix(skin, male ? [0.45, 0.16, 0.14] : random.pick<Colour>([[0.5, 0.12, 0.12], [0.55, 0.05, 0.07]]), random.between(0.3, 0.75)), // prettier-ignore
    iris: vary(random, tone > 3 ? irises[0]! : random.pick(irises), 0.2),
    gaze: [0.012 * random.bell(), 0.004 * random.bell()],
    lids: random.chance(0.06) ? 0 : random.between(0.6, 1.2),
    hair: randomHair(random, kind, male),
    hairColour,
    browStrength: random.between(0.45, 1),
    browWidth: random.between(-0.006, 0.008),
    beard: bearded ? random.between(0.3, 1) : male ? random.between(0, 0.25) : 0,
    moustache: bearded || (male && random.chance(0.1)) ? random.between(0.3, 1) : 0,
    earSize: random.between(0.85, 1.15),
    neckWidth: male ? random.between(5.6, 7) : random.between(4.8, 5.8),
    glasses: random.chance(0.28) ? randomGlasses(random) : null,
    cloth: [random.between(0.01, 0.7), random.between(0.01, 0.7), random.between(0.01, 0.7)],
    clothStripes: random.chance(0.3) ? [random.next(), random.next(), random.next()] : null,
    collar: random.between(-3, 3),
  }
}

function randomHair(random: Random, kind: HairStyle['kind'], male: boolean): HairStyle {
  return {
    kind,
    thickness: kind === 'long' ? random.between(1, 2.4) : random.between(0.3, 2.3),
    forehead: random.between(-6.3, -4.4),
    recession: male ? random.between(0, 3.5) : random.between(0, 0.8),
    sideburn: random.between(-1.5, 2.5),
    nape: random.between(4, 7.5),
    length: random.between(7, 22),
    reach: random.chance(0.6) ? random.between(1.55, 1.8) : random.between(1.1, 1.35),
    phase: random.between(0, 6),
    waviness: random.between(0.1, 1),
  }
}

function randomGlasses(random: Random): Glasses {
  const grey = random.between(0.005, 0.12)
  return {
    colour: random.chance(0.7) ? [grey, grey, grey] : [random.next() * 0.4, random.next() * 0.3, random.next() * 0.3],
    halfWidth: random.between(2.2, 2.75),
    halfHeight: random.between(1.4, 2.4),
    wire: random.between(0.1, 0.26),
    squareness: random.between(2, 5),
    dark: random.chance(0.12),
  }
}

function mix(a: Colour, b: Colour, t: number): Colour {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t]
}

function vary(random: Random, [red, green, blue]: Colour, amount: number): Colour {
  const all = 1 + amount * random.bell()
  const own = () => all * (1 + 0.3 * amount * random.bell())
  return [red * own(), green * own(), blue * own()]
}
