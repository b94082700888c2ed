import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { chooseEngine, thisMachine } from '../../src/machine/chooseEngine.ts'
import { cardEngine, failure, type GpuContext } from './context.ts'
import { isNvidias } from './engineClient.ts'
import { headlightProgram } from './files.ts'
import { messageOf } from './messageOf.ts'
import { imageFolder, runPipeline, unitsOf } from './pipelineRun.ts'
import { everyImageOnce, imagesFor, percent } from './pipelineStep.ts'
import type { StepReport } from './report.ts'

/** One unit and several on one card, a unit killed at work, a batch that no memory holds, and what `auto` chooses. */
export async function unitsStep(step: StepReport, context: GpuContext): Promise<void> {
  const machine = thisMachine(context.enginesFolder, context.environment, 60_000)
  const { engine, reason } = await chooseEngine('auto', machine)
  step.fact('auto', { engine, reason })
  const auto = step.table('--engine auto', [])
  auto(['takes', engine])
  auto(['because', reason])
  await killed(step, context)
  await tooLarge(step, context)
  await several(step, context)
}

async function killed(step: StepReport, context: GpuContext): Promise<void> {
  const images = context.isRehearsal ? 160 : imagesFor(context, 1)
  let victim: number | undefined
  const what = 'a unit killed in the middle of a batch'
  const aim = 'every image computed once, none failed'
  try {
    const result = await runPipeline(context, {
      engine: cardEngine(context).engine,
      images,
      units: 1,
      seconds: context.secondsLeft() * 0.4,
      onComputed(computed, worker) {
        if (victim !== undefined || computed < images / 8 || computed > images / 2) return
        victim = unitsOf(worker)[0]
        if (victim !== undefined) process.kill(victim, 'SIGKILL')
      },
    })
    step.fact('unit killed', result)
    const found = `${result.summary?.counts['computed'] ?? result.computed} of ${images} computed, ${result.unitDeaths} unit died, ${result.seconds.toFixed(0)} s`
    // A unit that was never killed proves nothing.
    step.verdict({
      what,
      aim,
      found,
      ok: victim === undefined ? null : everyImageOnce(result, images) && result.unitDeaths === 1,
    })
  } catch (error) {
    step.verdict({ what, aim, found: messageOf(error), ok: failure(context) })
  }
}

/**
 * So many images of a DenseNet-121 take some 200 GB. Not more: a tensor of more than 2³¹ numbers fails for other reasons. In a
 * rehearsal more than any array of JavaScript holds, since a driver in software would compute for hours before its memory ends.
 */
const largestBatch = { card: 2560, rehearsal: 65_536 } as const

async function tooLarge(step: StepReport, context: GpuContext): Promise<void> {
  const what = 'a batch too large for the memory'
  const aim = 'refused in one sentence'
  const engine = context.engines.find(({ device }) => device !== 'the CPU')?.engine
  // A processor's memory is the machine's: taking all of it would end whatever else runs here.
  if (engine === undefined) return step.note(`${what}: no engine here has a memory of its own`)
  const batch = context.isRehearsal ? largestBatch.rehearsal : largestBatch.card
  const output = mkdtempSync(join(context.work, 'output-'))
  const args = ['run', '--dataset', imageFolder(context.work, 1), '--output', output, '--network', context.network]
  const options = ['--engine', engine, '--engines-folder', context.enginesFolder, '--units', '1', '--quiet']
  const folders = ['--cache-folder', join(context.work, 'cache')]
  const gpus = context.device !== null && isNvidias(engine) ? ['--gpus', context.device] : []
  const all = [...args, ...options, ...folders, ...gpus, '--batch', String(batch)]
  const { code, said } = await ended(all, context, Math.min(90, context.secondsLeft()))
  step.fact('batch too large', { engine, batch, code, said })
  if (code === 'SIGKILL' || code === 130) {
    step.note(`${what}: no answer within its time`)
    return
  }
  if (code === 0) {
    step.verdict({ what, aim, found: `a batch of ${batch} fits, so nothing is known`, ok: null })
    return
  }
  const sentence = said.split('\n').at(-1) ?? ''
  step.verdict({ what, aim, found: `exit code ${code}: ${sentence}`, ok: code === 1 && sentence.includes('--batch') })
}

function ended(
  args: readonly string[],
  { environment, signal }: GpuContext,
  seconds: number,
): Promise<{ code: number | string; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [headlightProgram, ...args], {
      env: { ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
    })
    // A native call that hangs hears no signal but the last.
    const timers = (['SIGINT', 'SIGKILL'] as const).map((name, index) =>
      setTimeout(() => child.kill(name), (Math.max(1, seconds) + 10 * index) * 1000),
    )
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code, by) => {
      for (const timer of timers) clearTimeout(timer)
      resolve({ code: code ?? String(by), said: said.trim() })
    })
  })
}

async function several(step: StepReport, context: GpuContext): Promise<void> {
  const { engine } = cardEngine(context)
  const row = step.table('units on one device', ['units', 'images/s, steady', 'GPU busy', 'GPU memory, MB'])
  const counts = context.isRehearsal ? [2] : [1, 4, 8, 2].filter((units) => units <= availableParallelism())
  const found: { units: number; imagesPerSecond: number; busyPercent: number | null }[] = []
  for (const units of counts) {
    const images = imagesFor(context, units)
    if (context.secondsLeft() < 20) {
      step.note(`the time is up: ${units} units were not measured`)
      continue
    }
    try {
      const result = await runPipeline(context, { engine, images, units, seconds: context.secondsLeft() })
      row([
        String(units),
        result.steadyImagesPerSecond.toFixed(1),
        percent(result.busyPercent),
        result.usedMb?.toFixed(0) ?? 'not told',
      ])
      found.push({ units, imagesPerSecond: result.steadyImagesPerSecond, busyPercent: result.busyPercent })
      step.fact('units', found)
    } catch (error) {
      step.note(`${units} units: ${messageOf(error)}`)
    }
  }
}
