import { short } from './plotFrame.ts'

/** A colour scale by step: what is filled, in light and in dark, and the ink that is read on it. */
export interface ColourStep {
  readonly light: string
  readonly dark: string
  /** Of numbers on `light` and on `dark`. */
  readonly inks: readonly [light: string, dark: string]
}

const black = '#0a0a0a'
const white = '#ffffff'

/** From nothing to much. On a light page much is dark, on a dark page bright: what stands out is much in both. */
export const sequential: readonly ColourStep[] = [
  step('#fffbe6', black, '#341b21', white),
  step('#f2e0b5', black, '#57282e', white),
  step('#eac486', black, '#7b3533', white),
  step('#e4a458', black, '#a1452e', white),
  step('#df8227', black, '#c55911', black),
  step('#d16105', black, '#db7904', black),
  step('#be4003', white, '#ed9c0b', black),
  step('#ad0a01', white, '#fcbf0d', black),
  step('#890120', white, '#ffe566', black),
]

/** From below zero, blue, over zero, in the middle, to above it, orange: a pair that those who confuse red and green tell apart. */
export const diverging: readonly ColourStep[] = [
  step('#0159a1', white, '#8fcbfe', black),
  step('#3d86d1', black, '#4ea1e2', black),
  step('#73a6e0', black, '#3d74a0', white),
  step('#afcdf0', black, '#2f4f69', white),
  step('#f5f3f2', black, '#2b2826', white),
  step('#ebbfa9', black, '#624429', white),
  step('#d68f6a', black, '#966231', white),
  step('#c6682f', black, '#d1863e', black),
  step('#8d3d00', white, '#ffb169', black),
]

function step(light: string, lightInk: string, dark: string, darkInk: string): ColourStep {
  return { light, dark, inks: [lightInk, darkInk] }
}

/** Of lines and marks of an angle; each has a shape and a dash of its own as well (`charts/angleMarks.ts`). */
const angleColours = {
  yaw: ['#1c66ad', '#7db6f2'],
  pitch: ['#b9540a', '#f2a35e'],
  roll: ['#1f7a4d', '#67cb96'],
  geodesic: ['#5d6570', '#98a0ab'],
} as const

/** Class names of the scales' steps; as short as they are since a page has thousands. */
export const sequentialClass = (at: number): string => `s${held(at, sequential)}`
export const divergingClass = (at: number): string => `d${held(at, diverging)}`

function held(at: number, scale: readonly ColourStep[]): number {
  return Math.min(scale.length - 1, Math.max(0, at))
}

/**
 * The part of the style sheet that colours the scales. A class fills the shapes of a group of an SVG, grounds cells of a table,
 * and gives the text on it its ink. `few` hatches what rests on few images: lines of an SVG (`hatched`), and
 * the ground of a cell of a table. A number or a title must say the same: colour alone says nothing
 * to many.
 */
export const colourStyle = [
  variables(':root', 'light', 0),
  `@media (prefers-color-scheme: dark) { ${variables(':root', 'dark', 1)} }`,
  ...classes('s', sequential),
  ...classes('d', diverging),
  ...Object.keys(angleColours).map((angle) => `svg .${angle} { stroke: var(--${angle}); fill: var(--${angle}); }`),
  'svg .few { fill: none; stroke-opacity: 0.4; }',
  '.few:is(td, i) { background-image: repeating-linear-gradient(135deg, transparent 0 4px, color-mix(in srgb, var(--ink) 30%, transparent) 4px 5px); }',
].join('\n')

/**
 * Path data of diagonal lines over a square of an SVG, to be drawn with the class `few`. No pattern: it would have to be
 * referred to by a url, and the page has none.
 */
export function hatched(x: number, y: number, side: number): string {
  const third = side / 3
  const lines = [third, 2 * third, side].map(
    (reach) => `M${short(x)} ${short(y + reach)}l${short(reach)} ${short(-reach)}`,
  )
  const lower = [third, 2 * third].map(
    (from) => `M${short(x + from)} ${short(y + side)}l${short(side - from)} ${short(from - side)}`,
  )
  return [...lines, ...lower].join('')
}

function variables(selector: string, mode: 'light' | 'dark', ink: 0 | 1): string {
  const of = (prefix: string, scale: readonly ColourStep[]) =>
    scale
      .map((colours, at) => `--${prefix}${at}: ${colours[mode]}; --${prefix}${at}-ink: ${colours.inks[ink]};`)
      .join(' ')
  const angles = Object.entries(angleColours).map(([angle, colours]) => `--${angle}: ${colours[ink]};`)
  return `${selector} { ${of('s', sequential)} ${of('d', diverging)} ${angles.join(' ')} }`
}

function classes(prefix: string, scale: readonly ColourStep[]): string[] {
  return scale.map((_, at) => {
    const name = `${prefix}${at}`
    return `svg .${name} { fill: var(--${name}); } svg .${name} text { fill: var(--${name}-ink); } svg .${name} .few { stroke: var(--${name}-ink); } .${name}:is(td, i) { background-color: var(--${name}); color: var(--${name}-ink); }`
  })
}
