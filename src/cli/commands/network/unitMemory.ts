import { chooseEngine, thisMachine } from '../../../machine/chooseEngine.ts'
import type { LocalPaths } from '../../../output/networkFile.ts'
import type { EngineName } from '../../../saliency/engines/openEngine.ts'
import { givesAngles } from '../../../saliency/networks/description.ts'
import type { Network } from '../../../saliency/networks/network.ts'
import { MemoryFile } from '../../../worker/memoryFile.ts'
import { memoryText, networkMemoryKey } from '../../../worker/networkMemory.ts'
import { measureUnit } from '../../../worker/supervisor/measureUnit.ts'
import type { MeasuredNetwork } from '../../../worker/unitMessages.ts'
import type { Call } from '../../command.ts'
import { filesOf } from '../../shared/networkFile.ts'
import { unitEnvironment } from '../../shared/planWorker.ts'

/** What one unit takes, as `network inspect --json` tells it. The names are a contract: add, don't rename. */
export interface UnitMemoryFinding {
  readonly engine: string
  /** Null where the engine cannot open the network here. */
  readonly processBytes: number | null
  /** Of its GPU; null where there is none, or it does not tell. */
  readonly deviceBytes: number | null
  /** Why it is not known; null where it is. */
  readonly problem: string | null
}

/**
 * What one unit takes for a network with the engine that was asked for; with `auto` on the CPU, and on the GPU that would
 * be taken if there is one. Measured by a unit of its own unless a run, or an earlier call, has done so. Never rejects.
 */
export async function unitMemory(call: Call, paths: LocalPaths, network: Network): Promise<UnitMemoryFinding[]> {
  const { settings, folders, surroundings } = call
  const machine = thisMachine(folders.engines, surroundings.environment, settings.unitStartSeconds * 1000)
  const findings: UnitMemoryFinding[] = []
  try {
    const { engine, gpus } = await chooseEngine(settings.engine, machine)
    const device = gpus[0] ?? null
    if (settings.engine === 'auto' && engine !== 'onnxruntime:cpu') {
      findings.push(await withEngine(call, paths, network, 'onnxruntime:cpu', null))
    }
    findings.push(await withEngine(call, paths, network, engine, device))
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    findings.push({ engine: settings.engine, processBytes: null, deviceBytes: null, problem })
  }
  return findings
}

/** One line for people. */
export function memoryLine({ engine, processBytes, deviceBytes, problem }: UnitMemoryFinding): string {
  if (processBytes === null) return `not known for ${engine}: ${problem ?? ''}`
  const onCpu = engine === 'onnxruntime:cpu' ? ' on the CPU' : ''
  const onGpu = deviceBytes === null ? '' : `, and ${memoryText(deviceBytes)} on its GPU`
  return `${memoryText(processBytes)} for one unit${onCpu}${onGpu} (measured with ${engine})`
}

async function withEngine(
  { settings, folders, surroundings, log }: Call,
  paths: LocalPaths,
  network: Network,
  engine: EngineName,
  device: string | null,
): Promise<UnitMemoryFinding> {
  const set = measuredOf(network)
  const key = networkMemoryKey({ set, engine, batch: null })
  const file = new MemoryFile(folders.cache)
  const known = (await file.read()).get(key)
  if (known) return { engine, ...known, problem: null }
  const found = await measureUnit({
    paths,
    set,
    engine,
    enginesFolder: folders.engines,
    environment: unitEnvironment(surroundings.environment, { engine, enginesFolder: folders.engines, device }),
    startMs: settings.unitStartSeconds * 1000,
    log,
  })
  if ('problem' in found) {
    const [problem = ''] = found.problem.split('\n')
    return { engine, processBytes: null, deviceBytes: null, problem }
  }
  await file.remember(key, found)
  return { engine, ...found, problem: null }
}

/** As a run without options would open it. */
function measuredOf(network: Network): MeasuredNetwork {
  const { description } = network
  const objectives = [givesAngles(description) ? 'sum' : 'class:0']
  return {
    network: { ...filesOf(network), description },
    options: { objectives, scope: 'all', style: 'origin', gradients: 'none' },
  }
}
