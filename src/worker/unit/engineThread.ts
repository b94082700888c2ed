import { parentPort } from 'node:worker_threads'
import { toErrorMessage } from '../../base/errorMessage.ts'
import { openComputed, openWithinMemory } from '../../saliency/batchSize.ts'
import { findEngine } from '../../saliency/engines/openEngine.ts'
import { createExplainer, type Explainer } from '../../saliency/explainer.ts'
import { checkKnownAnswer } from '../../saliency/knownAnswer.ts'
import { loadNetwork } from '../../saliency/networks/load.ts'
import type { EngineReply, EngineRequest } from './engineMessages.ts'

// The thread of a unit on which the engine blocks, so that fetching and putting go on on the main thread.

/** Known once the engine was found. */
let device = 'the CPU'
const explainers = new Map<string, Explainer>()

async function answer(request: EngineRequest): Promise<EngineReply> {
  switch (request.type) {
    case 'find':
      device = (await checkKnownAnswer(await findEngine(request.engine, request.enginesFolder))).device
      return { type: 'found', device }
    case 'open': {
      beginning(null)
      const { file, bytes, description, externalData } = request.network
      const network = loadNetwork(bytes, file, description, undefined, externalData)
      const open = (batch: number) => createExplainer({ ...request.options, network, batch })
      const { batch, largestBatch } = request.options
      const search = {
        largest: largestBatch,
        mayBeSoftware: device !== 'a GPU',
        onTry: beginning,
        now: () => performance.now(),
      }
      const explainer =
        device === 'the CPU'
          ? await open(batch ?? 1)
          : await (batch === null ? openWithinMemory(open, search) : openComputed(open, batch))
      explainers.set(request.set, explainer)
      return { type: 'opened', engine: explainer.engine, batch: explainer.batch }
    }
    case 'explain': {
      const startedAt = performance.now()
      const explanations = await openExplainer(request.set).explainEach(request.images, request.classes)
      const engineMs = performance.now() - startedAt
      return { type: 'explained', explanations, engineMs }
    }
    case 'close':
      await explainers.get(request.set)?.dispose()
      explainers.delete(request.set)
      return { type: 'closed' }
  }
}

function beginning(batch: number | null): void {
  parentPort?.postMessage({ type: 'opening', batch } satisfies EngineReply)
}

function openExplainer(set: string): Explainer {
  const explainer = explainers.get(set)
  if (!explainer) throw new Error(`the engine of ${set} is not open`)
  return explainer
}

/** The large arrays' memory, to be handed over instead of copied; views of something larger stay and are copied. */
function buffersOf(reply: EngineReply): ArrayBuffer[] {
  if (reply.type !== 'explained') return []
  const arrays = reply.explanations.flatMap((explained) =>
    'notFinite' in explained
      ? []
      : Object.values(explained.objectives).flatMap(({ map, gradient }) => (gradient ? [map, gradient] : [map])),
  )
  const whole = arrays.filter(({ byteLength, buffer }) => byteLength === buffer.byteLength)
  return whole.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer)
}

// Explainers' calls must not overlap, so each request waits for the one before it.
let last: Promise<unknown> = Promise.resolve()
parentPort?.on('message', (request: EngineRequest) => {
  last = last.then(async () => {
    const reply = await answer(request).catch((error: unknown): EngineReply => ({
      type: 'failed',
      error: toErrorMessage(error),
    }))
    parentPort?.postMessage(reply, buffersOf(reply))
  })
})
