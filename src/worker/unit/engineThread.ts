import { parentPort } from 'node:worker_threads'
import { toErrorMessage } from '../../base/errorMessage.ts'
import { processorFeatures } from '../../machine/processor.ts'
import { openComputed, openWithinMemory } from '../../saliency/batchSize.ts'
import { KeptModels, type SayKept } from '../../saliency/engines/keptModels.ts'
import { findEngine } from '../../saliency/engines/openEngine.ts'
import { createExplainer, openKeptExplainer, type Explainer } from '../../saliency/explainer.ts'
import { keptProgram } from '../../saliency/keptProgram.ts'
import { checkKnownAnswer } from '../../saliency/knownAnswer.ts'
import { storedDescription } from '../../saliency/networks/description.ts'
import type { Network } from '../../saliency/networks/network.ts'
import type { EngineOptions, EngineReply, EngineRequest, NetworkFile, NetworkIdentity } from './engineMessages.ts'

type OpenRequest = Extract<EngineRequest, { type: 'open' }>

// The thread of a unit on which the engine blocks, so that fetching and putting go on on the main thread.

/** Known once the engine was found. */
let device = 'the CPU'
const explainers = new Map<string, Explainer>()

async function answer(request: EngineRequest): Promise<EngineReply> {
  switch (request.type) {
    case 'find':
      device = (await checkKnownAnswer(await findEngine(request.engine, request.enginesFolder))).device
      return { type: 'found', device }
    case 'open':
      // One that was kept takes no longer than anything else; what must be fetched first may.
      if (request.network !== null) beginning(null)
      return open(request)
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

async function open({ set, identity, network, options }: OpenRequest): Promise<EngineReply> {
  const notes: string[] = []
  const explainer = await (device === 'the CPU'
    ? openOnCpu(identity, network, options, (note) => notes.push(note))
    : network && openOnGpu(identity, network, options))
  if (explainer === null) return { type: 'absent' }
  explainers.set(set, explainer)
  return { type: 'opened', engine: explainer.engine, batch: explainer.batch, isKept: network === null, notes }
}

/** Null without the network, where its program was not kept. */
async function openOnCpu(
  identity: NetworkIdentity,
  network: NetworkFile | null,
  { modelsFolder, batch, ...options }: EngineOptions,
  say: SayKept,
): Promise<Explainer | null> {
  const how = { ...options, batch: batch ?? 1 }
  const kept =
    modelsFolder === null
      ? undefined
      : keptProgram(new KeptModels(modelsFolder, say), { ...how, network: identity, processor: processorFeatures() })
  if (network !== null) return createExplainer({ ...how, network: await loaded(identity, network), kept })
  if (kept === undefined) return null
  const { input } = storedDescription(identity.description)
  return (await openKeptExplainer({ ...how, input, kept })) ?? null
}

/** Each batch is a program of its own. */
async function openOnGpu(identity: NetworkIdentity, file: NetworkFile, options: EngineOptions): Promise<Explainer> {
  const network = await loaded(identity, file)
  const openBatch = (batch: number) => createExplainer({ ...options, network, batch })
  const { batch, largestBatch } = options
  const search = {
    largest: largestBatch,
    mayBeSoftware: device !== 'a GPU',
    onTry: beginning,
    now: () => performance.now(),
  }
  return batch === null ? openWithinMemory(openBatch, search) : openComputed(openBatch, batch)
}

async function loaded({ file, description }: NetworkIdentity, { bytes, externalData }: NetworkFile): Promise<Network> {
  // Most units find the program compiled, and need nothing of this.
  const { loadNetwork } = await import('../../saliency/networks/load.ts')
  return loadNetwork(bytes, file, description, undefined, externalData)
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
