/** Where hair grows, and how. */
export interface HairStyle {
  /** `none` is bald; `long` falls to the shoulders. */
  readonly kind: 'none' | 'short' | 'long'
  /** Centimetres that the hair stands off the skull. */
  readonly thickness: number
  /** Lowest y of the hairline on the forehead, at rest. */
  readonly forehead: number
  /** How far the hairline draws back beside the middle. */
  readonly recession: number
  /** y where the sideburns end. */
  readonly sideburn: number
  /** y of the hairline at the nape. */
  readonly nape: number
  /** How far long hair falls: y of its lower edge. */
  readonly length: number
  /** Radians from the back of the head to where long hair ends on either side: beyond the ears, or behind them. */
  readonly reach: number
  /** Seed of the strands, and how wavy they are. */
  readonly phase: number
  readonly waviness: number
}

/** Depth inside the hair in centimetres at a point of the resting head; negative on skin. */
export function hairDepth(style: HairStyle, x: number, y: number, z: number): number {
  const { forehead, sideburn, nape, phase } = style
  const aside = Math.abs(x)
  // From the middle of the forehead back to the nape, as the lowest y that is hair.
  let lowest: number
  const receding = style.recession * bump((aside - 3) / 3.4)
  if (z < -4.5) lowest = forehead - receding
  else if (z < -1.6) lowest = forehead - receding + ((z + 4.5) / 2.9) * (sideburn - forehead - 1.5 + receding)
  else if (z < -0.6) lowest = sideburn - 1.5 * ((-0.6 - z) / 1)
  else if (z < 0.6) lowest = sideburn + (z + 0.6) * (-2.2 - sideburn) * 0.83
  else if (z < 3.6) lowest = -2.2
  else if (z < 6) lowest = -2.2 + ((z - 3.6) / 2.4) * (nape + 2.2)
  else lowest = nape
  const ragged = 0.16 * (Math.sin(5 * x + phase) + Math.sin(7 * z - 2 * phase) + Math.sin(11 * x + 3 * z))
  return lowest - y + ragged
}

function bump(t: number): number {
  return t * t >= 1 ? 0 : (1 - t * t) * (1 - t * t)
}
