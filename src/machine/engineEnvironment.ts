import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installations, type EngineName } from '../saliency/engines/openEngine.ts'
import { absentFolder, librariesFolder } from './cudaLibraries.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What decides, before a process starts, how an engine computes: the dynamic linker and NVIDIA's libraries, TensorFlow's and
 * Vulkan's among them, read their environment once. Whoever set one of these is left to it.
 */
const variables: { readonly [K in EngineName]?: (base: Environment, enginesFolder: string) => Environment } = {
  'onnxruntime:cuda': (base, enginesFolder) => ({
    LD_LIBRARY_PATH: linkerPath(
      base,
      [librariesFolder, absentFolder].map((name) => join(enginesFolder, installations.cuda.folder, name)),
    ),
    ...exactFloats(base),
  }),
  'tfjs:tensorflow': (base, enginesFolder) => ({
    ...exactFloats(base),
    ...packedLibraries(base, join(enginesFolder, installations.tfjs.folder, librariesFolder)),
    // Else it takes all memory of every GPU that it sees, and whoever else computes there, a probe of ours too, gets none.
    TF_FORCE_GPU_ALLOW_GROWTH: base['TF_FORCE_GPU_ALLOW_GROWTH'] ?? 'true',
  }),
  // A driver in software takes a thousand times as long: it is taken where it was named, never because it lay about.
  'onnxruntime:webgpu': (base) =>
    ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_LOADER_DRIVERS_DISABLE'].some((name) => base[name] !== undefined)
      ? {}
      : { VK_LOADER_DRIVERS_DISABLE: '*lvp*,*swiftshader*' },
}

/**
 * GPUs since Ampere multiply float32 with ten bits of mantissa (TF32) unless they are told not to. The angles would be off
 * by hundredths of a degree, and the check of the gradient refuses such an engine.
 */
const exactFloats = (base: Environment): Environment => ({
  NVIDIA_TF32_OVERRIDE: base['NVIDIA_TF32_OVERRIDE'] ?? '0',
})

/** Whoever packs an installation, as our image does, may put CUDA's libraries into it: they are this engine's alone. */
const packedLibraries = (base: Environment, folder: string): Environment =>
  existsSync(folder) ? { LD_LIBRARY_PATH: linkerPath(base, [folder]) } : {}

function linkerPath(base: Environment, ours: readonly string[]): string {
  const given = (base['LD_LIBRARY_PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && !ours.includes(folder))
  return [...ours, ...given].join(delimiter)
}

/**
 * The environment of a process that runs an engine. `device` is the one GPU that it may see, as CUDA_VISIBLE_DEVICES takes
 * it; null leaves that as it is.
 */
export function engineEnvironment(
  base: Environment,
  { engine, enginesFolder, device }: { engine: EngineName; enginesFolder: string; device: string | null },
): Environment {
  return {
    ...base,
    ...variables[engine]?.(base, enginesFolder),
    // TensorFlow.js' addon always takes the last GPU that it sees, so it may see only its own.
    ...(device === null ? {} : { CUDA_VISIBLE_DEVICES: device }),
    // nvidia-smi's order, whose indices these are; CUDA's own puts the fastest first. Who chose devices chose by their own.
    ...(device === null || base['CUDA_VISIBLE_DEVICES'] !== undefined
      ? {}
      : { CUDA_DEVICE_ORDER: base['CUDA_DEVICE_ORDER'] ?? 'PCI_BUS_ID' }),
  }
}
