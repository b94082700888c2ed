import { parentPort } from 'node:worker_threads'
import { PlaceError } from '../errors.ts'
import { findEngine } from '../saliency/engine.ts'
import { createExplainer, type Explainer } from '../saliency/explainer.ts'
import { loadNetwork } from '../saliency/networks/load.ts'
import type { EngineReply, EngineRequest } from './engineMessages.ts'
import { toErrorMessage } from './errorMessage.ts'
import { isFinite } from './record.ts'

// The thread of a unit on which the engine blocks, so that fetching and putting go on on the main thread.

const explainers = new Map<string, Explainer>()

async function answer(request: EngineRequest): Promise<EngineReply> {
  switch (request.type) {
    case 'find':
      await findEngine(request.engine)
      return { type: 'found' }
    case 'open': {
      const { file, bytes, description } = request.network
      const network = loadNetwork(bytes, file, description)
      const explainer = await createExplainer({ ...request.options, network })
      await checkKnownAnswer(explainer)
      explainers.set(request.set, explainer)
      return { type: 'opened', engine: explainer.engine, batch: explainer.batch }
    }
    case 'explain': {
      const startedAt = performance.now()
      const explanations = await openExplainer(request.set).explain(request.images)
      const engineMs = performance.now() - startedAt
      return { type: 'explained', explanations, engineMs }
    }
    case 'close':
      await explainers.get(request.set)?.dispose()
      explainers.delete(request.set)
      return { type: 'closed' }
  }
}

function openExplainer(set: string): Explainer {
  const explainer = explainers.get(set)
  if (!explainer) throw new Error(`the engine of ${set} is not open`)
  return explainer
}

/** One picture with light, shade and edges through the whole network: catches a device that computes rubbish. */
async function checkKnownAnswer(explainer: Explainer): Promise<void> {
  const picture = new Uint8Array(explainer.imageBytes)
  for (let i = 0; i < picture.length; i++) picture[i] = (i * 7 + Math.floor(i / 1_000) * 13) % 256
  const [explanation] = await explainer.explain([picture])
  if (!explanation || !isFinite(explanation))
    throw new PlaceError('engine-wrong', `The engine ${explainer.engine} gives no finite numbers for a test picture.`)
}

/** The large arrays' memory, to be handed over instead of copied; views of something larger stay and are copied. */
function buffersOf(reply: EngineReply): ArrayBuffer[] {
  if (reply.type !== 'explained') return []
  const arrays = reply.explanations.flatMap(({ objectives }) =>
    Object.values(objectives).flatMap(({ map, gradient }) => (gradient ? [map, gradient] : [map])),
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
