import { createHash } from 'node:crypto'
import type { KeptGraph } from './engines/engine.ts'
import type { KeptModels } from './engines/keptModels.ts'
import type { Network } from './networks/network.ts'
import type { ProgramOptions } from './program.ts'

/**
 * Digest of the sources that make a program of a network, and of the packages that they use: the build puts it here. From
 * the sources themselves nothing is kept, since they may be another in a minute.
 */
declare const headlightPrograms: string | undefined

export interface ProgramSource extends ProgramOptions {
  readonly network: Pick<Network, 'file' | 'digest'> & {
    readonly externalData?: Network['externalData'] | undefined
    readonly description: unknown
  }
  /** What the processor can do, see `processorFeatures`: models are optimised for it. Null where that is unknown. */
  readonly processor: string | null
  /** Says what the programs are made with; the build's own unless a test says otherwise. */
  readonly version?: string | undefined
}

/** A program by what it is made of. Undefined where it may not be kept compiled. */
export function keptProgram(models: KeptModels, source: ProgramSource): KeptGraph | undefined {
  const built = typeof headlightPrograms === 'undefined' ? undefined : headlightPrograms
  const { network, objectives, scope, relu6, style, gradients, values, batch, processor, version = built } = source
  if (version === undefined || processor === null) return undefined
  const { file, digest, externalData, description } = network
  const made = [
    version,
    [file, digest, externalData?.file, externalData?.digest, description],
    [objectives, scope, relu6 ?? 'guided', style, gradients, values === true, batch],
    [process.platform, process.arch, processor],
  ]
  return { models, identity: createHash('sha256').update(JSON.stringify(made)).digest('hex') }
}
