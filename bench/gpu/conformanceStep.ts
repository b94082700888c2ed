import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { z } from 'zod'
import { isWithin } from '../../test/support/figure.ts'
import { angleTolerance, mapTolerance } from '../../test/support/goldenFigures.ts'
import { failure, type GpuContext, type UsableEngine } from './context.ts'
import { EngineClient, isNvidias } from './engineClient.ts'
import type { CheckDone } from './engineMessages.ts'
import { demoNetwork, headlightProgram, sampleImage } from './files.ts'
import { messageOf } from './messageOf.ts'
import { tf32Error } from './productRounding.ts'
import type { StepReport } from './report.ts'

const run = promisify(execFile)
const checksSeconds = 60

/** Every engine that loads: operations, random graphs, golden data; whether TF32 is off; the demo's network. */
export async function conformanceStep(step: StepReport, context: GpuContext): Promise<void> {
  // The quickest first, and whatever concerns the card before all else.
  const rounding = step.table('TF32: how far products are off that only float32 has exactly', [
    'engine',
    'as headlight runs it',
    'where it may be used',
  ])
  for (const { engine } of context.engines) await products(step, context, engine, rounding)
  const rows = step.table('conformance', ['engine', 'checks', 'failed', 'worst ÷ tolerance', 'of'])
  for (const { engine } of context.engines) {
    const done: CheckDone[] = []
    const client = new EngineClient(context, { engine })
    // An engine that hangs must leave time for the others.
    const seconds = Math.min(checksSeconds, context.secondsLeft())
    let isLate = false
    try {
      await client.ask({ type: 'checks' }, 'checked', seconds, (check) => done.push(check))
    } catch (error) {
      step.note(`${engine}: the checks ended early: ${messageOf(error)}`)
      isLate = context.secondsLeft() <= 0
      if (!isLate) done.push({ group: '', name: 'all of them', figures: [], error: messageOf(error) })
    } finally {
      await client.close()
    }
    judge(step, engine, done, isLate, rows)
  }
  await compareDemo(step, context)
}

function judge(
  step: StepReport,
  engine: string,
  done: readonly CheckDone[],
  isLate: boolean,
  row: (cells: string[]) => void,
): void {
  const failed = done.filter(({ figures, error }) => error !== null || !figures.every(isWithin))
  const figures = done.flatMap(({ name, figures: all }) => all.map((figure) => ({ ...figure, name })))
  const worst = figures
    .filter(({ tolerance }) => tolerance > 0)
    .toSorted((a, b) => b.found / b.tolerance - a.found / a.tolerance)[0]
  const share = worst === undefined ? '' : (worst.found / worst.tolerance).toFixed(2)
  row([
    engine,
    String(done.length),
    String(failed.length),
    share,
    worst === undefined ? '' : `${worst.name}: ${worst.what}`,
  ])
  step.fact(`checks of ${engine}`, done)
  for (const { group, name, error, figures: found } of failed) {
    const off = found
      .filter((figure) => !isWithin(figure))
      .map(({ what, found: f, tolerance }) => `${what} ${f} > ${tolerance}`)
    step.note(`${engine} fails ${group}, ${name}: ${error ?? off.join('; ')}`)
  }
  step.verdict({
    what: `conformance of ${engine}`,
    aim: 'every check within its tolerance',
    found: `${done.length - failed.length} of ${done.length}`,
    ok: failed.length > 0 ? false : isLate ? null : true,
  })
}

async function products(
  step: StepReport,
  context: GpuContext,
  engine: UsableEngine['engine'],
  row: (cells: string[]) => void,
): Promise<void> {
  const errors: string[] = []
  for (const tf32 of [false, true]) {
    if (tf32 && !isNvidias(engine)) {
      errors.push('')
      continue
    }
    const client = new EngineClient(context, { engine, tf32 })
    try {
      const { rounding } = await client.ask({ type: 'products' }, 'products', Math.min(60, context.secondsLeft()))
      errors.push(`matmul ${rounding.matmul.toExponential(1)}, conv ${rounding.conv.toExponential(1)}`)
      if (tf32) continue
      // Winograd's transforms round too, but far below.
      const ok = Math.max(rounding.matmul, rounding.conv) < tf32Error / 4
      step.verdict({
        what: `TF32 off in ${engine}`,
        aim: `< ${(tf32Error / 4).toExponential(1)}`,
        found: errors[0] ?? '',
        ok,
      })
    } catch (error) {
      errors.push(messageOf(error))
      if (!tf32)
        step.verdict({ what: `TF32 off in ${engine}`, aim: 'float32', found: messageOf(error), ok: failure(context) })
    } finally {
      await client.close()
    }
  }
  row([engine, ...errors])
}

const answerSchema = z.object({ angles: z.record(z.string(), z.number().nullable()) })

/** The demo's network through the command line, each engine against the first of the processor's. */
async function compareDemo(step: StepReport, context: GpuContext): Promise<void> {
  const { environment, enginesFolder, work } = context
  const row = step.table('the demo’s network on one image, headlight explain', [
    'engine',
    'seconds',
    'degrees off',
    'map values off',
  ])
  let first: { angles: Readonly<Record<string, number | null>>; map: Uint8Array } | undefined
  const order = context.engines.toSorted(
    (a, b) => Number(b.engine === 'onnxruntime:cpu') - Number(a.engine === 'onnxruntime:cpu'),
  )
  for (const { engine } of order) {
    const map = join(work, `${engine.replace(':', '-')}.png`)
    const startedAt = performance.now()
    try {
      const args = [
        'explain',
        sampleImage,
        '--network',
        demoNetwork,
        '--engine',
        engine,
        '--engines-folder',
        enginesFolder,
      ]
      const { stdout } = await run(process.execPath, [headlightProgram, ...args, '--map', map, '--json'], {
        env: { ...environment },
        signal: context.signal,
        timeout: Math.ceil(Math.max(1, Math.min(60, context.secondsLeft())) * 1000),
      })
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      const { angles } = answerSchema.parse(JSON.parse(stdout))
      const levels = new Uint8Array(await sharp(map).raw().toBuffer())
      if (first === undefined) {
        first = { angles, map: levels }
        row([engine, seconds, 'compared with', 'compared with'])
        continue
      }
      const { angles: expected, map: image } = first
      const off = Math.max(
        ...Object.entries(angles).map(([name, angle]) => Math.abs((angle ?? 0) - (expected[name] ?? 0))),
      )
      const beyond = levels.filter((level, i) => Math.abs(level - (image[i] ?? NaN)) > 1).length / levels.length
      row([engine, seconds, off.toExponential(1), `${(beyond * 100).toFixed(3)} %`])
      step.verdict({
        what: `the demo by ${engine}`,
        aim: `within ${angleTolerance}° and ${mapTolerance * 100} % of the map`,
        found: `${off.toExponential(1)}°, ${(beyond * 100).toFixed(3)} %`,
        ok: off <= angleTolerance && beyond <= mapTolerance,
      })
    } catch (error) {
      step.note(`${engine}: headlight explain failed: ${messageOf(error)}`)
      step.verdict({ what: `the demo by ${engine}`, aim: 'a map', found: 'none', ok: failure(context) })
    }
  }
}
