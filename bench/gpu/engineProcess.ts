import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import type { Executor } from '../../src/saliency/engines/engine.ts'
import { engineNames, findEngine } from '../../src/saliency/engines/openEngine.ts'
import { createExplainer } from '../../src/saliency/explainer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { buildProgram } from '../../src/saliency/program.ts'
import { programNames } from '../../src/saliency/programNames.ts'
import { engineChecks } from '../../test/support/engineChecks.ts'
import type { EngineReply, EngineRequest } from './engineMessages.ts'
import { productRounding } from './productRounding.ts'

// A process that runs one engine, as engineClient.ts asks it to. Argument: the engine, the folder for engines, threads.

const { engine, enginesFolder, threads } = z
  .object({ engine: z.enum(engineNames), enginesFolder: z.string(), threads: z.int() })
  .parse(JSON.parse(process.argv[2] ?? ''))

const options = { objectives: ['sum'], scope: 'all', style: 'origin' } as const
let opened: { readonly run: () => Promise<unknown>; readonly batch: number; readonly executor: Executor } | undefined

async function answer(request: EngineRequest): Promise<EngineReply> {
  switch (request.type) {
    case 'open': {
      const startedAt = performance.now()
      const network = networkAt(request.network)
      const { batch } = request
      const open = await findEngine(engine, enginesFolder)
      const program = buildProgram(network, { ...options, gradients: false, batch })
      const executor = await open(program, { intraOpThreads: threads })
      const { width, height } = network.description.input
      const pixels = Uint8Array.from({ length: batch * width * height * 3 }, (_, i) => (i * 7919) % 256)
      const inputs = new Map([[programNames.pixels, pixels]])
      opened = { run: () => executor.run(inputs), batch, executor }
      // A GPU's library chooses and compiles its kernels at the first call.
      await opened.run()
      return { type: 'opened', ms: performance.now() - startedAt }
    }
    case 'close':
      await opened?.executor.dispose()
      opened = undefined
      return { type: 'closed' }
    case 'measure': {
      if (opened === undefined) throw new Error('nothing is open')
      const startedAt = performance.now()
      let calls = 0
      do {
        await opened.run()
        calls++
      } while (performance.now() - startedAt < request.forMs)
      return { type: 'measured', msPerImage: (performance.now() - startedAt) / calls / opened.batch }
    }
    case 'explain': {
      const explainer = await createExplainer({
        ...options,
        network: networkAt(request.network),
        gradients: true,
        batch: request.images.length,
        engine,
        enginesFolder,
        intraOpThreads: threads,
      })
      const explanations = await explainer.explain(request.images)
      await explainer.dispose()
      const explained = explanations.map(({ angles, objectives: { sum } }) => {
        if (!sum?.gradient) throw new Error('the engine gave no gradient')
        return { angles, gradient: sum.gradient, map: sum.map }
      })
      return { type: 'explained', explained }
    }
    case 'products':
      return { type: 'products', rounding: await productRounding(await findEngine(engine, enginesFolder)) }
    case 'checks':
      for (const { group, name, run } of engineChecks({ engine, enginesFolder })) {
        const { figures, error } = await run().then(
          (found) => ({ figures: found, error: null }),
          (reason: unknown) => ({ figures: [], error: firstLine(reason) }),
        )
        process.send?.({ type: 'check', done: { group, name, figures, error } } satisfies EngineReply)
      }
      return { type: 'checked' }
  }
}

function networkAt(path: string): Network {
  return loadNetwork(readFileSync(path), basename(path))
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 400) ?? ''

process.on('message', (request: EngineRequest) => {
  void answer(request)
    .catch((error: unknown): EngineReply => ({ type: 'failed', error: firstLine(error) }))
    .then((reply) => process.send?.(reply))
})
process.on('disconnect', () => process.exit())
