import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goldenImages } from '../../test/support/golden.ts'
import { angleTolerance, goldenCrop, gradientTolerance, mapTolerance } from '../../test/support/goldenFigures.ts'
import { seededRandom } from '../../test/support/operationExamples.ts'
import { median } from '../measure.ts'
import { PyTorch } from './contender.ts'
import { Contenders, type Kind, type Turn } from './contenders.ts'
import { cardEngine, failure, type GpuContext } from './context.ts'
import { EngineClient } from './engineClient.ts'
import type { Explained } from './engineMessages.ts'
import { messageOf } from './messageOf.ts'
import type { StepReport } from './report.ts'

/** The most telling ones first: the time may not last for all. */
const batches = { card: [32, 1, 8, 64, 16, 4], rehearsal: [2, 1] } as const
const roundCount = 3

interface Measured {
  readonly contender: string
  readonly batch: number
  readonly tf32: boolean
  /** Of the median round. */
  readonly imagesPerSecond: number
  readonly memoryMb: number | null
}

/** The engine alone by batch, TF32 off and on, in turn with eager and compiled PyTorch; and the gradient against float64. */
export async function speedStep(step: StepReport, context: GpuContext): Promise<void> {
  await gradient(step, context)
  const all: Measured[] = []
  const row = step.table(
    'engine alone, images/s (median of rounds in turn); memory in MB: of headlight what the GPU gained, of PyTorch its largest reservation',
    ['batch', 'TF32', 'contender', 'images/s', '÷ eager', 'memory'],
  )
  const sizes = context.isRehearsal ? batches.rehearsal : batches.card
  const contenders = new Contenders(context)
  // Compiling takes PyTorch up to a minute for each size: first everything without it.
  for (const kinds of [
    ['headlight', 'eager'],
    ['headlight', 'eager', 'compiled'],
  ] as const) {
    // Where there is no eager PyTorch there is no compiled one.
    if (kinds.length > 2 && !all.some(({ contender }) => contender === 'PyTorch eager')) continue
    for (const batch of sizes) {
      for (const tf32 of [false, true]) {
        if (context.secondsLeft() < 15) {
          step.note(
            `the time is up: batch ${batch}, TF32 ${tf32 ? 'on' : 'off'}, ${kinds.join(', ')} were not measured`,
          )
          continue
        }
        const measured = await inTurn(step, contenders, { batch, tf32, kinds })
        const eager = measured.find(({ contender }) => contender === 'PyTorch eager')
        for (const one of measured) {
          const ratio = eager === undefined ? '' : (one.imagesPerSecond / eager.imagesPerSecond).toFixed(2)
          row([
            String(batch),
            tf32 ? 'on' : 'off',
            one.contender,
            one.imagesPerSecond.toFixed(1),
            ratio,
            one.memoryMb === null ? '' : one.memoryMb.toFixed(0),
          ])
        }
        all.push(...measured)
        step.fact('speeds', all)
      }
    }
  }
  await contenders.close()
  const best = (contender: string): number =>
    Math.max(0, ...all.filter((one) => one.contender === contender && !one.tf32).map((one) => one.imagesPerSecond))
  const [own, eager] = [best(cardEngine(context).engine), best('PyTorch eager')]
  step.fact('best images/s', { own, eager })
  step.verdict({
    what: 'engine alone at its best batch ÷ eager PyTorch at its best, TF32 off',
    aim: '≥ 1.5',
    found: eager === 0 ? 'PyTorch was not measured' : (own / eager).toFixed(2),
    ok: eager === 0 || context.isRehearsal ? null : own / eager >= 1.5,
  })
}

/** One size: everyone opens it, then all are measured in turn. */
async function inTurn(
  step: StepReport,
  contenders: Contenders,
  { batch, tf32, kinds }: { batch: number; tf32: boolean; kinds: readonly Kind[] },
): Promise<Measured[]> {
  const rounds: { turn: Turn; msPerImage: number[] }[] = []
  const skipped = (name: string, error: unknown): void =>
    step.note(`batch ${batch}, TF32 ${tf32 ? 'on' : 'off'}: ${name} was not measured: ${messageOf(error)}`)
  for (const kind of kinds) {
    try {
      rounds.push({ turn: await contenders.open(kind, batch, tf32), msPerImage: [] })
    } catch (error) {
      skipped(kind, error)
    }
  }
  const failed = new Set<Turn>()
  for (let round = 0; round < roundCount; round++) {
    for (const { turn, msPerImage } of rounds.filter((one) => !failed.has(one.turn))) {
      try {
        msPerImage.push(await turn.measure())
      } catch (error) {
        failed.add(turn)
        skipped(turn.name, error)
      }
    }
  }
  // One that failed is gone, and its memory with it.
  for (const { turn } of rounds.filter((one) => !failed.has(one.turn))) await turn.close().catch(() => undefined)
  return rounds
    .filter(({ msPerImage }) => msPerImage.length > 0)
    .map(({ turn, msPerImage }) => ({
      contender: turn.name,
      batch,
      tf32,
      imagesPerSecond: 1000 / median(msPerImage),
      memoryMb: turn.memoryMb(),
    }))
}

/** Two images: angles, gradient and map of every engine against PyTorch in float64. */
async function gradient(step: StepReport, context: GpuContext): Promise<void> {
  const images = goldenImages('tiny')
    .slice(0, 2)
    .map((image, i) => noisy(goldenCrop(image), i + 1))
  const pixels = join(context.work, 'pixels.bin')
  const file = join(context.work, 'gradient.bin')
  writeFileSync(pixels, Buffer.concat(images))
  const pytorch = new PyTorch(context)
  try {
    const request = { do: 'truth', network: context.network, pixels, count: images.length, gradient: file } as const
    const truth = await pytorch.ask(request, Math.min(60, context.secondsLeft()))
    const bytes = readFileSync(file)
    const exact = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
    const row = step.table('against PyTorch in float64, two images', [
      'engine',
      'gradient, relative L2',
      'PyTorch’s own float32',
      'degrees off',
      'map values off',
    ])
    for (const { engine } of context.engines) {
      if (context.isRehearsal && engine === 'onnxruntime:webgpu') continue
      const client = new EngineClient(context, { engine })
      try {
        const question = { type: 'explain', network: context.network, images } as const
        const { explained } = await client.ask(question, 'explained', Math.min(60, context.secondsLeft()))
        const size = exact.length / images.length
        const found = explained.map((one, i) =>
          compared(one, exact.subarray(i * size, (i + 1) * size), truth.angles[i] ?? []),
        )
        const own = Math.max(...truth.float32Error)
        const [l2, degrees, map] = (['l2', 'degrees', 'map'] as const).map((what) =>
          Math.max(...found.map((one) => one[what])),
        )
        if (l2 === undefined || degrees === undefined || map === undefined) throw new Error('nothing was compared')
        row([
          engine,
          l2.toExponential(1),
          own.toExponential(1),
          degrees.toExponential(1),
          `${(map * 100).toFixed(3)} %`,
        ])
        step.verdict({
          what: `gradient of ${engine} against float64`,
          aim: `≤ ${gradientTolerance(own).toExponential(1)}, ${angleTolerance}°, ${mapTolerance * 100} %`,
          found: `${l2.toExponential(1)}, ${degrees.toExponential(1)}°, ${(map * 100).toFixed(3)} %`,
          ok: l2 <= gradientTolerance(own) && degrees <= angleTolerance && map <= mapTolerance,
        })
      } catch (error) {
        step.note(`${engine}: no gradient: ${messageOf(error)}`)
        const ok = failure(context)
        step.verdict({ what: `gradient of ${engine} against float64`, aim: 'a gradient', found: 'none', ok })
      } finally {
        await client.close()
      }
    }
  } catch (error) {
    step.note(`the gradient was not compared with PyTorch: ${messageOf(error)}`)
  } finally {
    await pytorch.close()
  }
}

/**
 * Up to sixteen levels up or down: where an image is flat, all values under the max pool are the same, and rounding alone
 * decides which of them the gradient goes to.
 */
function noisy(image: Uint8Array, seed: number): Uint8Array {
  const random = seededRandom(seed)
  return image.map((level) => Math.min(255, Math.max(0, Math.round(level + 16 * random()))))
}

function compared(
  found: Explained,
  exact: Float32Array,
  angles: readonly number[],
): { l2: number; degrees: number; map: number } {
  let [error, norm, sum, squares] = [0, 0, 0, 0]
  exact.forEach((value, i) => {
    error += (value - (found.gradient[i] ?? NaN)) ** 2
    norm += value ** 2
    sum += value
    squares += value ** 2
  })
  const mean = sum / exact.length
  const std = Math.sqrt(squares / exact.length - mean ** 2)
  const [area, off] = [exact.length / 3, { count: 0 }]
  exact.forEach((value, i) => {
    const level = Math.min(1, Math.max(0, ((value - mean) / std) * 0.1 + 0.5)) * 255
    const [channel, position] = [Math.floor(i / area), i % area]
    if (!(Math.abs((found.map[position * 3 + channel] ?? NaN) - level) <= 1)) off.count++
  })
  const degrees = (['yaw', 'pitch', 'roll'] as const).map((angle, i) =>
    Math.abs((found.angles[angle] ?? NaN) - (angles[i] ?? NaN)),
  )
  return { l2: Math.sqrt(error / norm), degrees: Math.max(...degrees), map: off.count / exact.length }
}
