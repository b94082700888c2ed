import { delimiter, join } from 'node:path'
import { installations, type EngineName } from '../saliency/engine.ts'
import { librariesFolder } from './cudaLibraries.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment of a process that runs an engine: the dynamic linker and TensorFlow read theirs when a process starts.
 * `device` is the number of the one GPU that it may see; null leaves that as it is.
 */
export function engineEnvironment(
  base: Environment,
  { engine, enginesFolder, device }: { engine: EngineName; enginesFolder: string; device: string | null },
): Environment {
  const libraries = join(enginesFolder, installations.cuda.folder, librariesFolder)
  const given = (base['LD_LIBRARY_PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && folder !== libraries)
  const path = [libraries, ...given].join(delimiter)
  return {
    ...base,
    ...(engine === 'onnxruntime:cuda' ? { LD_LIBRARY_PATH: path } : {}),
    // TensorFlow.js' addon always takes the last GPU that it sees, so it may see only its own.
    ...(device === null ? {} : { CUDA_VISIBLE_DEVICES: device }),
    // nvidia-smi's order, whose indices these are; CUDA's own puts the fastest first. Who chose devices chose by their own.
    ...(device === null || base['CUDA_VISIBLE_DEVICES'] !== undefined
      ? {}
      : { CUDA_DEVICE_ORDER: base['CUDA_DEVICE_ORDER'] ?? 'PCI_BUS_ID' }),
  }
}
