import { escapeHtml } from '../escaping.ts'
import { compact, tenth, whole } from '../numberText.ts'
import { short } from '../plotFrame.ts'
import { ChartFrame, roundTicks } from './chartFrame.ts'
import type { DrawnRun } from './drawnRuns.ts'

const perRun = 17
/** Fills most of a wide page; on a phone it is scrolled, since its text shrunk could not be read. */
const leastWidth = 720
const legendHeight = 24
const gap = 24
const heights = { error: 150, images: 84, speed: 56 }
/** Dates beneath that do not run into one another. */
const perDate = 46

/** Errors, images and speed of each run, one below the other over the same order of runs. */
export function drawRuns(runs: readonly DrawnRun[]): string {
  const width = Math.max(leastWidth, runs.length * perRun)
  const x: [number, number] = [-0.5, runs.length - 0.5]
  const errors = runs.flatMap(({ ownError, stateError }) => [ownError, stateError]).filter((error) => error !== null)
  const errorTicks = roundTicks(Math.max(0, ...errors))
  const speedTicks = roundTicks(Math.max(0, ...runs.map(({ imagesPerSecond }) => imagesPerSecond ?? 0)))
  const most = Math.max(1, ...runs.map(({ counts }) => counts.computed))
  const decades = Math.max(1, Math.ceil(Math.log10(most)))
  const error = new ChartFrame({ width, height: heights.error, x, top: errorTicks.at(-1) ?? 1, above: legendHeight })
  const images = new ChartFrame({ width, height: heights.images, x, top: decades + 0.5, above: error.base + gap })
  const speed = new ChartFrame({
    width,
    height: heights.speed,
    x,
    top: speedTicks.at(-1) ?? 1,
    above: images.base + gap,
  })
  const worse = runs.filter(({ isWorse }) => isWorse).length
  const latest = runs.at(-1)
  const latestError =
    latest?.ownError === null || latest === undefined ? '' : `; own error of the last ${tenth(latest.ownError)}°`
  return speed.svg(
    `Errors, images and speed of the last ${runs.length} runs${latestError}; ${worse} with more than 1.5 times the usual error of their own`,
    [
      legend(error.left),
      error.gridAcross(errorTicks),
      error.nameBeside('error, °'),
      errorMarks(runs, error),
      images.gridAcross(decadeTicks(decades), (value) => compact(10 ** (value - 0.5))),
      images.nameBeside('images'),
      imageMarks(runs, images),
      speed.gridAcross([0, speedTicks.at(-1) ?? 1]),
      speed.nameBeside('images/s'),
      speedMarks(runs, speed),
      ...dates(runs, speed),
      speed.nameBelow(`closed on (${runs[0]?.closedAt.slice(0, 10)} to ${latest?.closedAt.slice(0, 10)})`),
      ...hits(runs, error, speed.base - error.above),
    ],
  )
}

function legend(left: number): string {
  return `<path class="state" d="M${left} 10h16"/><text x="${left + 21}" y="14">state’s error</text><path class="own-error" d="M${left + 112} 10h0"/><text x="${left + 120}" y="14">run’s own</text><path class="out" d="M${left + 200} 4.5l5.5 5.5l-5.5 5.5l-5.5-5.5z"/><text x="${left + 212}" y="14">1.5 × the usual</text>`
}

/** A gap in the line, and no mark, where a run has no error. */
function errorMarks(runs: readonly DrawnRun[], frame: ChartFrame): string {
  const line = runs.map(({ stateError }, i) => {
    if (stateError === null) return ''
    const start = i === 0 || runs[i - 1]?.stateError === null
    // A point of its own, lest one run between two gaps have no line at all.
    return `${start ? 'M' : 'L'}${short(frame.x(i))} ${short(frame.y(stateError))}${start ? 'h0' : ''}`
  })
  const dots = runs.map(({ ownError, isWorse }, i) =>
    ownError === null || isWorse ? '' : `M${short(frame.x(i))} ${short(frame.y(ownError))}h0`,
  )
  const worse = runs.map(({ ownError, isWorse }, i) => {
    if (ownError === null || !isWorse) return ''
    const [x, y] = [frame.x(i), frame.y(ownError)]
    return `<path class="out" d="M${short(x)} ${short(y - 6)}l6 6l-6 6l-6-6z"/><text class="out" x="${short(x)}" y="${short(y - 9)}" text-anchor="middle">${tenth(ownError)}</text>`
  })
  return `<path class="state" d="${line.join('')}"/><path class="own-error" d="${dots.join('')}"/>${worse.join('')}`
}

/** Logarithmic, since the first run computes all and a night a hundredth; stems, since bars of a logarithm lie. */
function imageMarks(runs: readonly DrawnRun[], frame: ChartFrame): string {
  const height = (count: number) => frame.y(Math.log10(count) + 0.5)
  const computed = runs.map(({ counts }, i) =>
    counts.computed === 0 ? '' : `M${short(frame.x(i))} ${frame.base}V${short(height(counts.computed))}`,
  )
  const heads = runs.map(({ counts }, i) =>
    counts.computed === 0 ? '' : `M${short(frame.x(i))} ${short(height(counts.computed))}h0`,
  )
  const failed = runs.map(({ ownFailed }, i) => {
    if (ownFailed === null || ownFailed === 0) return ''
    const [x, y] = [frame.x(i), height(ownFailed)]
    return `M${short(x - 3.5)} ${short(y - 3.5)}l7 7m0-7l-7 7`
  })
  const right = frame.left + frame.width
  return `<path class="stem" d="${computed.join('')}"/><path class="own-error" d="${heads.join('')}"/><path class="failed" d="${failed.join('')}"/><text x="${right}" y="${frame.above - 6}" text-anchor="end">● computed, × failed of these</text>`
}

function speedMarks(runs: readonly DrawnRun[], frame: ChartFrame): string {
  const bars = runs.map(({ imagesPerSecond }, i) => {
    if (imagesPerSecond === null) return ''
    const top = frame.y(imagesPerSecond)
    const half = Math.min(8, frame.width / runs.length / 2.6)
    return `M${short(frame.x(i) - half)} ${frame.base}V${short(top)}h${short(2 * half)}V${frame.base}z`
  })
  return `<path class="bar" d="${bars.join('')}"/>`
}

/** Month and day, counted from the newest back, which is to have its own. */
function dates(runs: readonly DrawnRun[], frame: ChartFrame): string[] {
  const every = Math.ceil(perDate / (frame.width / runs.length))
  return runs.flatMap(({ closedAt }, i) =>
    (runs.length - 1 - i) % every === 0 ? [frame.tickBelow(i, closedAt.slice(5, 10))] : [],
  )
}

/** Unseen, over a run's whole height: what a pointer over it tells. */
function hits(runs: readonly DrawnRun[], frame: ChartFrame, height: number): string[] {
  const wide = frame.width / runs.length
  return runs.map(({ run, ownError, stateError, counts, ownFailed, imagesPerSecond }, i) => {
    const told = [
      ...(ownError === null ? [] : [`own error ${tenth(ownError)}°`]),
      ...(stateError === null ? [] : [`state’s ${tenth(stateError)}°`]),
      `${whole(counts.computed)} computed`,
      ...(ownFailed === null ? [] : [`${whole(ownFailed)} of these failed`]),
      ...(imagesPerSecond === null ? [] : [`${tenth(imagesPerSecond)} images/s`]),
    ]
    return `<path class="hit" d="M${short(frame.x(i) - wide / 2)} ${frame.above}h${short(wide)}v${height}h${short(-wide)}z"><title>${escapeHtml(run)}: ${told.join(', ')}</title></path>`
  })
}

/** Every second power of ten, from 1, up to those that are drawn. */
function decadeTicks(decades: number): number[] {
  const every = decades > 3 ? 2 : 1
  return Array.from({ length: Math.floor(decades / every) + 1 }, (_, i) => i * every + 0.5)
}
