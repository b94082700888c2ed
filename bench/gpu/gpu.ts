import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, hostname, tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { nvidiaGpus } from '../../src/machine/gpus.ts'
import { engineNames } from '../../src/saliency/engines/openEngine.ts'
import { densenet121, denseNetCheckpoint, smallDensenet } from '../syntheticCheckpoint.ts'
import { conformanceStep } from './conformanceStep.ts'
import type { GpuContext, UsableEngine } from './context.ts'
import { packageFile, sampleImage, standInFolder } from './files.ts'
import { machineStep } from './machineStep.ts'
import { messageOf } from './messageOf.ts'
import { cards } from './nvidiaSmi.ts'
import { pipelineStep } from './pipelineStep.ts'
import { Report, stepNames, type StepName, type StepReport } from './report.ts'
import { speedStep } from './speedStep.ts'
import { unitsStep } from './unitsStep.ts'
import { parsed, UsageError } from './usage.ts'

const help = `Proves a machine with an NVIDIA GPU: everything about it in one JSON and one table, in under 9 minutes.

  npm run bench -- gpu                     in a clone
  sh gpu.sh                                in an unpacked bundle, which needs neither Node nor a network

  --only STEP         one step (${stepNames.join(', ')}), added to the report that is there; may be repeated
  --out FOLDER        where gpu.json and gpu.txt are written (default: ./headlight-gpu)
  --python FILE       the Python whose PyTorch is compared with (default: python3)
  --engines LIST      the engines to measure, the card's first (default: those that compute here)
  --engines-folder F  where engines are installed (default: as headlight)
  --minutes N         the time for all steps (default: 8.5)
  --rehearse          without a GPU: small networks, a stand-in for nvidia-smi, engines onnxruntime:cpu and onnxruntime:webgpu
`

/** Each step's end, as a share of all the time: what one leaves is the next one's. */
const endsAt: Readonly<Record<StepName, number>> = {
  machine: 0.1,
  conformance: 0.3,
  speed: 0.7,
  pipeline: 0.8,
  units: 1,
}
const steps: Readonly<Record<Exclude<StepName, 'machine'>, (step: StepReport, context: GpuContext) => Promise<void>>> =
  {
    conformance: conformanceStep,
    speed: speedStep,
    pipeline: pipelineStep,
    units: unitsStep,
  }

/** `npm run bench -- gpu`; gives the exit code: 0 when every aim was met. */
export async function benchGpu(args: readonly string[]): Promise<number> {
  const { values: o } = parsed({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'headlight-gpu' },
      python: { type: 'string', default: process.env['HEADLIGHT_BENCH_PYTHON'] ?? 'python3' },
      engines: { type: 'string' },
      'engines-folder': { type: 'string' },
      minutes: { type: 'string', default: '8.5' },
      rehearse: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (o.help) {
    console.log(help)
    return 0
  }
  const only = o.only.map((name) => {
    const step = stepNames.find((known) => known === name)
    if (step === undefined) throw new UsageError(`--only ${name}: there are the steps ${stepNames.join(', ')}`)
    return step
  })
  const engines = o.engines?.split(',') ?? (o.rehearse ? ['onnxruntime:cpu', 'onnxruntime:webgpu'] : null)
  const unknown = engines?.find((name) => !engineNames.some((known) => known === name))
  if (unknown !== undefined) throw new UsageError(`--engines ${unknown}: there are ${engineNames.join(', ')}`)
  const totalMs = Number(o.minutes) * 60_000
  if (!(totalMs > 0)) throw new UsageError(`--minutes ${o.minutes}: give a number of minutes`)
  const interruption = new AbortController()
  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(130)
    console.error('interrupted: what is known so far is kept (once more ends at once)')
    interruption.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt)
  const work = mkdtempSync(join(tmpdir(), 'headlight-gpu-'))
  try {
    const isRehearsal = o.rehearse
    const environment = environmentOf(isRehearsal)
    // Product code that looks for nvidia-smi looks in this process's own PATH.
    process.env['PATH'] = environment['PATH']
    const network = join(work, 'network.safetensors')
    denseNetCheckpoint(network, isRehearsal ? smallDensenet : densenet121)
    copyFileSync(sampleImage, join(work, 'sample.png'))
    const { gpus } = await nvidiaGpus(environment)
    const data = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share')
    const [card] = await cards(environment, gpus[0])
    const heading = {
      machine: `${card?.name ?? 'no GPU'} in ${hostname()}`,
      headlight: z.object({ version: z.string() }).parse(JSON.parse(readFileSync(packageFile, 'utf8'))).version,
      startedAt: new Date().toISOString(),
      rehearsal: isRehearsal,
    }
    const report = new Report(resolve(o.out), heading, only.length > 0)
    const startedAt = performance.now()
    const context = {
      device: gpus[0] ?? null,
      environment,
      enginesFolder: resolve(
        o['engines-folder'] ?? environment['HEADLIGHT_ENGINES_FOLDER'] ?? join(data, 'headlight', 'engines'),
      ),
      work,
      network,
      python: o.python,
      isRehearsal,
      signal: interruption.signal,
    }
    const secondsLeft = (name: StepName) => () => (totalMs * endsAt[name] - (performance.now() - startedAt)) / 1000
    let usable: readonly UsableEngine[] = []
    await taken(report, 'machine', async (step) => {
      const found = await machineStep(step, { ...context, secondsLeft: secondsLeft('machine') }, engines)
      if (card === undefined && engines === null) {
        throw new Error(
          'there is no NVIDIA GPU here, so nothing is measured; --rehearse tries this command without one',
        )
      }
      // Else the processor would be measured for eight minutes, in the card's name.
      if (engines === null && found.every(({ device }) => device === 'the CPU')) {
        throw new Error('there is a GPU, but no engine computes on it: the table of engines says why')
      }
      usable = found
    })
    for (const name of usable.length > 0 ? stepNames : []) {
      if (interruption.signal.aborted) break
      if (name === 'machine' || (only.length > 0 && !only.includes(name))) continue
      await taken(report, name, async (step) => {
        await steps[name](step, { ...context, report, engines: usable, secondsLeft: secondsLeft(name) })
        // What failed by an interrupt was noted as the fault of whoever was at work.
        if (interruption.signal.aborted) throw new Error('it was interrupted')
      })
    }
    console.log(report.text)
    console.error(`written: ${join(resolve(o.out), 'gpu.json')}, gpu.txt`)
    return interruption.signal.aborted ? 130 : report.isSound ? 0 : 1
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt)
    rmSync(work, { recursive: true, force: true })
  }
}

async function taken(report: Report, name: StepName, take: (step: StepReport) => Promise<void>): Promise<void> {
  console.error(`${name} …`)
  const step = report.begin(name)
  try {
    await take(step)
    step.end(null)
  } catch (error) {
    step.end(messageOf(error))
    console.error(`  ${messageOf(error)}`)
  }
}

/** Node is on the PATH of its children, as a command's user would have it; in a rehearsal the stand-in comes first. */
function environmentOf(isRehearsal: boolean): GpuContext['environment'] {
  const path = [
    ...(isRehearsal ? [standInFolder] : []),
    ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
    dirname(process.execPath),
  ]
  // As headlight itself does, see src/cli/main.ts.
  return {
    ...process.env,
    ORT_DISABLE_TELEMETRY: '1',
    PATH: path.filter((folder) => existsSync(folder)).join(delimiter),
  }
}
