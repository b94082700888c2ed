import { availableParallelism } from 'node:os'
import { chooseEngine, thisMachine } from '../../machine/chooseEngine.ts'
import { engineEnvironment } from '../../machine/engineEnvironment.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import { MemoryFile } from '../../worker/memoryFile.ts'
import { fittingUnits, networkMemoryKey, usualUnitBytes } from '../../worker/networkMemory.ts'
import type { WorkerOptions } from '../../worker/supervisor/supervisor.ts'
import type { Call } from '../command.ts'
import type { Surroundings } from '../surroundings.ts'

type UnitPlan = Pick<
  WorkerOptions,
  'units' | 'memory' | 'engine' | 'engineReason' | 'enginesFolder' | 'batch' | 'unitEnvironment'
>
type WorkerPlan = Omit<WorkerOptions, 'connection' | 'queueName' | 'endpoints' | 'onEvent' | 'times'>

/** All of a worker's options that the settings decide alike for `run` and `worker`. `set`: it computes no other. */
export async function planWorker(call: Call, set?: ResultSet): Promise<WorkerPlan> {
  const { settings, surroundings, folders, log } = call
  return {
    ...(await planUnits(call, set)),
    cacheFolder: folders.cache,
    unitSilenceMs: settings.unitSilenceSeconds * 1000,
    unitStartMs: settings.unitStartSeconds * 1000,
    fetchConcurrency: settings.fetchConcurrency,
    headlightVersion: surroundings.version,
    log,
  }
}

/**
 * How a worker's units compute here: with which engine, how many, and what each may see. One unit per GPU on GPUs, else
 * one per core, as far as free memory goes. Says the choice once. Raises InputError `bad-option` for --gpus that cannot be had.
 */
async function planUnits({ settings, surroundings, folders, log }: Call, set?: ResultSet): Promise<UnitPlan> {
  const enginesFolder = folders.engines
  const { environment } = surroundings
  const machine = thisMachine(enginesFolder, environment, settings.unitStartSeconds * 1000)
  const { engine, reason, gpus: devices } = await chooseEngine(settings.engine, machine, settings.gpus)
  const batch = settings.batch ?? null
  const mostUnits = devices.length > 0 ? devices.length : onOneDevice(engine) ? 1 : availableParallelism()
  const known = set && (await new MemoryFile(folders.cache).read()).get(networkMemoryKey({ set, engine, batch }))
  // It knows the limit of a container, which os.freemem does not.
  const availableBytes = process.availableMemory()
  const units = settings.units ?? fittingUnits(availableBytes, known?.processBytes ?? usualUnitBytes, mostUnits)
  log.info({ engine, reason, units, gpus: devices }, `computing with ${engine}: ${reason}`)
  return {
    units,
    memory: { availableBytes, mostUnits, isGiven: settings.units !== undefined },
    engine,
    engineReason: reason,
    enginesFolder,
    batch,
    unitEnvironment: (unit) => {
      const device = devices.length === 0 ? null : (devices[unit % devices.length] ?? null)
      return unitEnvironment(environment, { engine, enginesFolder, device })
    },
  }
}

/** The environment of a unit on one GPU, or, without a device, on one core. */
export function unitEnvironment(
  base: Surroundings['environment'],
  how: Parameters<typeof engineEnvironment>[1],
): Surroundings['environment'] {
  return {
    // One thread per unit where every core has a unit, as for ONNX Runtime; TensorFlow reads it when it starts.
    ...(how.device === null ? { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' } : {}),
    ...engineEnvironment(base, how),
  }
}

/** Several units would share the one device that WebGPU chooses by itself. */
const onOneDevice = (engine: string): boolean => engine === 'onnxruntime:webgpu'
