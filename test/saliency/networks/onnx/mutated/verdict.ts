import assert from 'node:assert/strict'
import { HeadlightError } from '../../../../../src/base/errors.ts'
import { createExplainer } from '../../../../../src/saliency/explainer.ts'
import { elements, topological } from '../../../../../src/saliency/graph.ts'
import { countActivations } from '../../../../../src/saliency/guidance.ts'
import { channelsOf } from '../../../../../src/saliency/networks/description.ts'
import { anglesOf } from '../../../../../src/saliency/networks/heads/kinds.ts'
import { loadNetwork } from '../../../../../src/saliency/networks/load.ts'
import type { Network } from '../../../../../src/saliency/networks/network.ts'
import { externalDataFile } from '../../../../../src/saliency/networks/onnx/externalData.ts'
import { buildProgram } from '../../../../../src/saliency/program.ts'
import type { Mutant } from './mutants.ts'

const file = 'mutant.onnx'

/**
 * What headlight makes of it: `loads`, its graph built for one image and for two, `runs`, or the code of its refusal. Any
 * other error is raised, and a refusal that is more than a sentence, or does not name the file.
 */
export async function verdictOf(mutant: Mutant): Promise<string> {
  const plain = await tried(mutant, undefined)
  const named = await tried(mutant, { heads: [{ output: mutant.tensor, kind: 'classes' }] })
  return ['loads', 'runs'].includes(plain) || !['loads', 'runs'].includes(named) ? plain : `${named} by a tensor`
}

async function tried({ bytes, data, isRun }: Mutant, override: unknown): Promise<string> {
  try {
    const beside = externalDataFile(bytes, file)
    const external = beside === undefined || data === undefined ? undefined : { file: beside, bytes: data }
    const network = loadNetwork(bytes, file, override, undefined, external)
    countActivations(network, { scope: 'all' })
    readAgain(network, () => loadNetwork(bytes, file, network.description, undefined, external))
    const graphs = [1, 2].map((batch) => buildProgram(network, { ...programOf(network), batch }))
    if (!isRun || !graphs.every(isSmall)) return 'loads'
    await run(network)
    return 'runs'
  } catch (error) {
    if (!(error instanceof HeadlightError)) throw error
    const { code, message } = error
    // An engine must not be the first to refuse a graph.
    const isClean =
      code !== 'engine-wrong' && message.includes(file) && message.length < 2000 && !/[\p{Cc}]/u.test(message)
    if (isClean) return code
    throw error
  }
}

/** As workers read it, by the description that stands in the result set, which is then too late to refuse. */
function readAgain({ description }: Network, read: () => Network): void {
  try {
    assert.deepEqual(read().description, description)
  } catch (error) {
    throw new Error('its own description is not accepted', { cause: error })
  }
}

function programOf(network: Network) {
  return { objectives: objectivesOf(network), scope: 'none', style: 'origin', gradients: false } as const
}

function objectivesOf({ description }: Network): string[] {
  const [head] = description.heads
  if (head === undefined) return []
  const [angle] = anglesOf(head)
  return [angle ?? 'class:0']
}

/**
 * The most numbers of one value of a network that is run, and the most values: a network may be right and take more than this
 * machine has, and ONNX Runtime takes minutes to open a chain of ten thousand.
 */
const [mostNumbers, mostValues] = [2 ** 24, 2000]

function isSmall({ outputs }: ReturnType<typeof buildProgram>): boolean {
  const values = topological(outputs.values())
  return values.length <= mostValues && values.every(({ shape }) => elements(shape) <= mostNumbers)
}

async function run(network: Network): Promise<void> {
  const options = { ...programOf(network), network, batch: 2, engine: 'onnxruntime:cpu', intraOpThreads: 1 }
  const explainer = await createExplainer(options)
  const { width, height, channels } = network.description.input
  const image = new Uint8Array(width * height * channelsOf(channels)).map((_, index) => (index * 37) % 256)
  await explainer.explainEach([image])
  await explainer.dispose()
}
