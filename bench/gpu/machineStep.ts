import { execFile } from 'node:child_process'
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installCuda } from '../../src/machine/cudaInstallation.ts'
import { readCudaMark, wantedCuda, wishOf } from '../../src/machine/cudaVersions.ts'
import { engineStatuses, type EngineStatus } from '../../src/machine/engineStatus.ts'
import { installations } from '../../src/saliency/engines/openEngine.ts'
import { PyTorch } from './contender.ts'
import type { GpuContext, UsableEngine } from './context.ts'
import { messageOf } from './messageOf.ts'
import { cards } from './nvidiaSmi.ts'
import type { StepReport } from './report.ts'

const run = promisify(execFile)

/** What is there: driver, card, libraries, which engines load and why not. Gives the engines that do. */
export async function machineStep(
  step: StepReport,
  context: Omit<GpuContext, 'engines' | 'report'>,
  asked: readonly string[] | null,
): Promise<UsableEngine[]> {
  const { environment, enginesFolder } = context
  const found = await cards(environment)
  step.fact('cards', found)
  const rows = step.table('this machine', [])
  for (const { name, driver, computeCapability, memoryMb } of found) {
    rows([
      'GPU',
      `${name}, ${(memoryMb / 1024).toFixed(0)} GiB, compute capability ${computeCapability}, driver ${driver}`,
    ])
  }
  if (found.length === 0) rows(['GPU', 'none: nvidia-smi is not found or shows none'])
  rows(['processor', `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`])
  rows(['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`])
  rows(['system', `Linux ${release()} ${arch()}, Node ${process.version}`])
  step.fact('nvidia-smi', await printed('nvidia-smi', [], environment))

  await linkLibraries(step, context)

  const pytorch = new PyTorch(context)
  await pytorch.ask({ do: 'facts' }, 60).then(
    (facts) => {
      step.fact('PyTorch', facts)
      rows(['PyTorch', `${facts.torch} on ${facts.device}`])
    },
    (error: unknown) => step.note(`PyTorch is not compared with: ${messageOf(error)} (--python names another Python)`),
  )
  await pytorch.close()

  const statuses = await engineStatuses(enginesFolder, environment)
  step.fact('engines', statuses)
  const row = step.table('engines', ['engine', 'usable', 'version', 'on, or why not'])
  for (const { engine, usable, version, device, problem } of statuses) {
    row([engine, usable ? 'yes' : 'no', version ?? '', device ?? problem ?? ''])
  }
  const usable = asked === null ? ranked(statuses) : named(statuses, asked)
  step.fact('measured engines', usable)
  return usable
}

/** Those on a GPU first, in the order in which `auto` prefers them; then the processor's, to compare with. */
function ranked(statuses: readonly EngineStatus[]): UsableEngine[] {
  const order = ['onnxruntime:cuda', 'tfjs:tensorflow', 'onnxruntime:webgpu', 'onnxruntime:cpu'] as const
  return order.flatMap((engine) => usableOf(statuses, engine)).filter(({ engine, device }) => isWanted(engine, device))
}

const isWanted = (engine: string, device: string): boolean => engine !== 'tfjs:tensorflow' || device !== 'the CPU'

function named(statuses: readonly EngineStatus[], asked: readonly string[]): UsableEngine[] {
  return asked.flatMap((engine) => {
    const found = usableOf(statuses, engine)
    if (found.length > 0) return found
    const why = statuses.find((status) => status.engine === engine)?.problem ?? 'there is no such engine'
    throw new Error(`--engines ${engine}: ${why}`)
  })
}

function usableOf(statuses: readonly EngineStatus[], wanted: string): UsableEngine[] {
  return statuses.flatMap(({ engine, usable, version, device }) =>
    engine === wanted && usable && version !== null && device !== null ? [{ engine, version, device }] : [],
  )
}

/**
 * What a bundle brings of the CUDA engine has not met this machine's libraries yet: they are linked here, PyTorch's among
 * them. Says what was found.
 */
async function linkLibraries(
  step: StepReport,
  { environment, enginesFolder, python }: Pick<GpuContext, 'environment' | 'enginesFolder' | 'python'>,
): Promise<void> {
  const { folder, engine } = installations.cuda
  // The user's own installation is the user's to link.
  const bundle = environment['HEADLIGHT_GPU_BUNDLE']
  if (bundle === undefined || !enginesFolder.startsWith(bundle)) return
  // Another one would be renewed, over a network that is not there.
  if (readCudaMark(join(enginesFolder, folder))?.wanted !== wishOf(wantedCuda())) return
  // Python's own prefix, since nobody activates an environment for this.
  const prefix = await printed(python, ['-c', 'import sys; print(sys.prefix)'], environment)
  const places = { ...environment, VIRTUAL_ENV: environment['VIRTUAL_ENV'] ?? prefix?.trim() }
  const said: string[] = []
  const row = step.table(`libraries for ${engine}`, [])
  await installCuda({
    enginesFolder,
    homeFolder: environment['HOME'] ?? '/',
    environment: places,
    say(line) {
      said.push(line)
      row([line])
    },
  }).catch((error: unknown) => step.note(`the libraries of ${engine} could not be looked at: ${messageOf(error)}`))
  step.fact('CUDA libraries', said)
}

async function printed(
  program: string,
  args: readonly string[],
  env: GpuContext['environment'],
): Promise<string | null> {
  return run(program, [...args], { timeout: 30_000, env: { ...env } }).then(
    ({ stdout }) => stdout,
    () => null,
  )
}
