import type { Logger } from '../../base/telemetry.ts'
import { gpuEnvironment } from '../../machine/gpuMemory.ts'
import type { LocalPaths } from '../../output/networkFile.ts'
import type { NetworkMemory } from '../networkMemory.ts'
import { largestBatch, type MeasuredNetwork } from '../unitMessages.ts'
import { UnitProcess } from './unitProcess.ts'

export interface MeasureOptions {
  readonly paths: LocalPaths
  readonly set: MeasuredNetwork
  readonly engine: string
  readonly enginesFolder: string
  /** Of the unit's process. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly startMs: number
  readonly log: Logger
}

/** Starts a unit, has it open a network and compute one black image, and ends it. Never rejects. */
export async function measureUnit(options: MeasureOptions): Promise<NetworkMemory | { readonly problem: string }> {
  const { paths, set, engine, enginesFolder, environment, startMs, log } = options
  return new Promise((resolve) => {
    const unit: UnitProcess = new UnitProcess({
      name: 'measured',
      settings: {
        cacheFolder: '',
        // What is asked is what it takes where it has to be compiled.
        modelsFolder: null,
        engine,
        enginesFolder,
        batch: null,
        largestBatch,
        gpuEnvironment: gpuEnvironment(environment),
        intraOpThreads: 1,
        endpoints: { dataset: null, output: null },
        fetchConcurrency: null,
      },
      environment,
      silenceMs: startMs,
      startMs,
      onMeasured: () => undefined,
      onMayOpen: () => unit.open(),
      onMemory: (_, memory) => {
        resolve(memory)
        unit.kill('it is measured')
      },
      onClosed: () => undefined,
      log,
    })
    unit.ready.then(
      () => unit.measure(paths, set),
      (error: unknown) => resolve({ problem: error instanceof Error ? error.message : String(error) }),
    )
    void unit.death.then((why) => resolve({ problem: why }))
  })
}
