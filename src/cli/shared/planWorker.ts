import { availableParallelism } from 'node:os'
import { chooseEngine, thisMachine } from '../../machine/chooseEngine.ts'
import { engineEnvironment } from '../../machine/engineEnvironment.ts'
import type { WorkerOptions } from '../../worker/supervisor/supervisor.ts'
import type { Call } from '../command.ts'
import type { Settings } from '../settings/optionSchema.ts'

/**
 * A run with two units of DenseNet-121 takes 1.1 to 1.2 GB, all processes and the queue together (docs/performance.md):
 * 600 MB for each, and room for large images.
 */
const unitMemoryBytes = 700_000_000

/** One unit per core, as far as free memory goes; at least one. */
export function unitCount(settings: Settings): number {
  if (settings.units !== undefined) return settings.units
  // availableMemory knows the limit of a container, which os.freemem does not.
  return Math.max(1, Math.min(availableParallelism(), Math.floor(process.availableMemory() / unitMemoryBytes)))
}

type UnitPlan = Pick<WorkerOptions, 'units' | 'engine' | 'engineReason' | 'enginesFolder' | 'batch' | 'unitEnvironment'>
type WorkerPlan = Omit<WorkerOptions, 'connection' | 'queueName' | 'endpoints' | 'onEvent' | 'times'>

/** All of a worker's options that the settings decide alike for `run` and `worker`. */
export async function planWorker(call: Call): Promise<WorkerPlan> {
  const { settings, surroundings, folders, log } = call
  return {
    ...(await planUnits(call)),
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
 * one per core. Says the choice once. Raises InputError `bad-option` for --gpus that cannot be had.
 */
async function planUnits({ settings, surroundings, folders, log }: Call): Promise<UnitPlan> {
  const enginesFolder = folders.engines
  const { environment } = surroundings
  const machine = thisMachine(enginesFolder, environment, settings.unitStartSeconds * 1000)
  const { engine, reason, gpus: devices } = await chooseEngine(settings.engine, machine, settings.gpus)
  const units = settings.units ?? (devices.length > 0 ? devices.length : onOneDevice(engine) ? 1 : unitCount(settings))
  log.info({ engine, reason, units, gpus: devices }, `computing with ${engine}: ${reason}`)
  return {
    units,
    engine,
    engineReason: reason,
    enginesFolder,
    batch: settings.batch ?? null,
    unitEnvironment: (unit) => ({
      // One thread per unit where every core has a unit, as for ONNX Runtime; TensorFlow reads it when it starts.
      ...(devices.length > 0 ? {} : { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' }),
      ...engineEnvironment(environment, {
        engine,
        enginesFolder,
        device: devices.length === 0 ? null : (devices[unit % devices.length] ?? null),
      }),
    }),
  }
}

/** Several units would share the one device that WebGPU chooses by itself. */
const onOneDevice = (engine: string): boolean => engine === 'onnxruntime:webgpu'
