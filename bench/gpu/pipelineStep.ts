import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { cardEngine, type GpuContext } from './context.ts'
import { runPipeline, type PipelineResult } from './pipelineRun.ts'
import type { StepReport } from './report.ts'

const aimedSeconds = 15
const bestSchema = z.object({ own: z.number(), eager: z.number() })

/** The whole way over a folder, as headlight does it unasked: images/s, how busy the card is, where the time goes. */
export async function pipelineStep(step: StepReport, context: GpuContext): Promise<void> {
  const { engine } = cardEngine(context)
  const images = imagesFor(context, 1)
  const result = await runPipeline(context, { engine, images, seconds: context.secondsLeft() })
  step.fact('pipeline', result)
  const row = step.table(`whole pipeline, PNG 640 × 480 from a folder to a folder, ${images} images`, [])
  row(['images/s, steady', result.steadyImagesPerSecond.toFixed(1)])
  row(['images/s, whole compute phase', result.summary?.imagesPerSecond?.toFixed(1) ?? 'cut off'])
  row(['GPU busy', percent(result.busyPercent)])
  row(['GPU memory, MB', result.usedMb?.toFixed(0) ?? 'not told'])
  if (result.summary === null) step.note(`the time was up after ${result.computed} of ${images} images`)
  row(['seconds, from start to report', result.seconds.toFixed(1)])
  const stages = step.table('where the time goes, all units and threads together', ['stage', 'ms an image'])
  for (const [stage, seconds] of Object.entries(result.stageSeconds))
    stages([stage, ((seconds * 1000) / result.computed).toFixed(2)])

  const best = context.report.fact('speed', 'best images/s', bestSchema)
  const ratio = best === undefined || best.eager === 0 ? null : result.steadyImagesPerSecond / best.eager
  step.verdict({
    what: 'pipeline ÷ eager PyTorch at its best batch, TF32 off',
    aim: '≥ 1.5',
    found: ratio === null ? 'eager PyTorch was not measured' : ratio.toFixed(2),
    ok: ratio === null || context.isRehearsal ? null : ratio >= 1.5,
  })
  step.verdict({
    what: 'GPU busy while the pipeline runs',
    aim: '≥ 95 %',
    found: percent(result.busyPercent),
    ok: result.busyPercent === null || context.isRehearsal ? null : result.busyPercent >= 95,
  })
}

/** As many as keep so many units busy for a while. */
export function imagesFor(context: GpuContext, units: number): number {
  if (context.isRehearsal) return 48
  const best = context.report.fact('speed', 'best images/s', bestSchema)
  // What cannot be decoded cannot be computed: some 15 ms of a core for each image, on the four threads of each unit.
  const decoded = Math.min(availableParallelism(), 4 * units) * 70
  return Math.round(Math.max(200, Math.min(best?.own ?? 200, decoded) * aimedSeconds))
}

export const percent = (value: number | null): string => (value === null ? 'not told' : `${value.toFixed(0)} %`)

export const everyImageOnce = ({ summary }: PipelineResult, images: number): boolean =>
  summary?.counts['computed'] === images && Object.keys(summary.failures).length === 0
