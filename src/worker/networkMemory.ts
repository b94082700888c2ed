import { z } from 'zod'
import type { ResultSet } from '../output/resultSet.ts'
import { wholeEngineName } from '../saliency/engines/openEngine.ts'
import { storedDescription } from '../saliency/networks/description.ts'

/** What one unit takes with a network open, at its peak up to the end of its first batch. */
export const networkMemorySchema = z.object({
  /** Resident memory of the unit's process. */
  processBytes: z.number().positive(),
  /** Memory of its GPU; null where there is none, or none that could be asked. */
  deviceBytes: z.number().nonnegative().nullable(),
})

export type NetworkMemory = z.infer<typeof networkMemorySchema>

/** A network that a unit opens, in the way in which it does. */
export interface OpenedNetwork {
  /** What decides how much memory it takes: openings of one key take the same. */
  readonly key: string
  /** For people. */
  readonly file: string
  /** With its second file, where it has one. */
  readonly fileBytes: number
}

interface Opening {
  readonly set: Pick<ResultSet, 'network'> & { readonly options: Pick<ResultSet['options'], 'objectives'> }
  readonly engine: string
  /** As given; null where the engine finds it. */
  readonly batch: number | null
}

export function networkMemoryKey({ set, engine, batch }: Opening): string {
  const { digest, externalData, description } = set.network
  const { width, height } = storedDescription(description).input
  return [
    digest,
    ...(externalData === undefined ? [] : [externalData.digest]),
    wholeEngineName(engine),
    `batch ${batch ?? 'auto'}`,
    `${set.options.objectives.length} objectives`,
    `${width}x${height}`,
  ].join(' ')
}

/** A unit of DenseNet-121 takes 600 MB (docs/performance.md); the rest is room for large images. */
export const usualUnitBytes = 700_000_000

/**
 * What a unit is reckoned to take for a network that nobody has measured: while it is opened, the file, its tensors, the
 * model made of them and the engine's own copy are there together, and the weights of a convolution are there twice, for
 * its gradient as well. With ONNX Runtime on the CPU units took 882 MB for a ResNet-50 of 96 MB, 2.0 GB for a ResNet-152
 * of 235 MB and 3.5 GB for a VGG-16 of 553 MB, most of which are linear layers.
 */
export function reckonedBytes(fileBytes: number): number {
  return Math.max(usualUnitBytes, 150_000_000 + 8 * fileBytes)
}

/** How many units the memory holds, whether it holds one or not. */
export function fittingUnits(availableBytes: number, unitBytes: number, mostUnits: number): number {
  return Math.max(1, Math.min(mostUnits, Math.floor(availableBytes / unitBytes)))
}

/** 2_130_000_000 → `2.1 GB`, 612_400_000 → `612 MB`. */
export function memoryText(bytes: number): string {
  return bytes < 999_500_000 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
