import type { Scope } from '../../src/saliency/choices.ts'
import { findEngine, type EngineName } from '../../src/saliency/engines/openEngine.ts'
import { openReference } from '../../src/saliency/engines/reference.ts'
import { createExplainer, type Explainer } from '../../src/saliency/explainer.ts'
import { elements, topological, type Graph } from '../../src/saliency/graph.ts'
import { checkKnownAnswer } from '../../src/saliency/knownAnswer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { make } from '../../src/saliency/ops.ts'
import type { Figure } from './figure.ts'
import { checkpointBytes, goldenImages, type GoldenImage } from './golden.ts'
import { goldenCrop, goldenFigures } from './goldenFigures.ts'
import { operationExamples, seededRandom } from './operationExamples.ts'
import { randomGraph } from './randomGraph.ts'

interface Measure {
  /** Largest error of one operation, relative to the largest value: float32 rounding of a few dozen sums. */
  readonly operationTolerance: number
  /** Largest relative L2 error of a random graph's gradient. */
  readonly graphTolerance: number
  /** Scopes and objectives of the golden data that are compared; a slow engine leaves some out. */
  readonly scopes: readonly Scope[]
  readonly objectives: readonly string[]
  /** Golden images that are compared. */
  readonly images: number
  /** Images in the batch of which one is compared with its golden data. */
  readonly batch: number
}

/** All golden data there is, at the tolerances of an engine on a CPU. */
const everything: Measure = {
  operationTolerance: 2e-6,
  graphTolerance: 1e-5,
  scopes: ['all', 'stem', 'none'],
  objectives: ['sum', 'yaw', 'pitch', 'roll'],
  images: 2,
  batch: 3,
}

/** What each engine is held to; docs/engines.md has the same table for people. */
const measures: { readonly [K in EngineName]: Measure } = {
  'onnxruntime:cpu': everything,
  // Looser than on a CPU: cuDNN chooses other ways to sum. Not measured yet.
  'onnxruntime:cuda': { ...everything, operationTolerance: 1e-5, graphTolerance: 1e-4 },
  // On a driver in software the shaders alone take fifteen seconds for each program.
  'onnxruntime:webgpu': { ...everything, scopes: ['all'], objectives: ['sum'], images: 1, batch: 1 },
  'tfjs:tensorflow': everything,
  'tfjs:wasm': everything,
  // Plain TypeScript takes seconds for each objective.
  reference: { ...everything, objectives: ['sum'], batch: 1 },
}

/** One thing that every engine must do. */
export interface EngineCheck {
  readonly group: 'one operation at a time' | 'random graphs with their guided gradients' | 'golden data' | 'as a whole'
  readonly name: string
  /** Raises what the engine raises. */
  readonly run: () => Promise<readonly Figure[]>
}

export interface CheckedEngine {
  readonly engine: EngineName
  readonly enginesFolder?: string | undefined
}

/** What every engine must do, cheapest first. Nothing of it needs a test runner: a GPU machine may have none. */
export function engineChecks({ engine, enginesFolder }: CheckedEngine): EngineCheck[] {
  const measure = measures[engine]
  const open = () => findEngine(engine, enginesFolder)
  const explainer = (scope: Scope, objectives: readonly string[], batch: number): Promise<Explainer> =>
    createExplainer({
      network: loadNetwork(checkpointBytes('tiny_hp.pkl'), 'tiny_hp.pkl'),
      objectives,
      scope,
      style: 'origin',
      gradients: true,
      batch,
      engine,
      enginesFolder,
      intraOpThreads: 2,
    })
  /** Runs a graph on the engine and on the reference. */
  const compared = async (graph: Graph, random: () => number): Promise<Errors[]> => {
    const inputs = new Map(
      topological(graph.outputs.values()).flatMap((node) =>
        node.op === 'input'
          ? [[node.attributes.name, Float32Array.from({ length: elements(node.shape) }, random)] as const]
          : [],
      ),
    )
    const expected = await (await openReference(graph)).run(inputs)
    const executor = await (await open())(graph, { intraOpThreads: 1 })
    // Twice: memory that is used again must not matter.
    await executor.run(inputs)
    const actual = await executor.run(inputs)
    await executor.dispose()
    return [...expected].map(([name, values]) => errors(values, actual.get(name) ?? []))
  }

  const checks: EngineCheck[] = [
    {
      group: 'as a whole',
      name: 'knows the answer',
      async run() {
        await checkKnownAnswer(await open())
        return []
      },
    },
  ]
  for (const [op, examples] of Object.entries(operationExamples)) {
    checks.push({
      group: 'one operation at a time',
      name: op,
      async run() {
        const figures: Figure[] = []
        for (const [index, build] of examples.entries()) {
          const random = seededRandom(index + op.length * 17)
          // Seven channels are no multiple of any blocked layout, eight of some.
          for (const channels of [7, 8]) {
            const x = make('input', [], { name: 'x', shape: [2, channels, 6, 5], dtype: 'float32' })
            const graph: Graph = { outputs: new Map([['y', build({ x, random })]]) }
            for (const { error, scale } of await compared(graph, random)) {
              const what = `example ${index + 1}, ${channels} channels`
              figures.push({ what, found: error / Math.max(scale, 1), tolerance: measure.operationTolerance })
            }
          }
        }
        return figures
      },
    })
  }
  for (let seed = 1; seed <= 8; seed++) {
    checks.push({
      group: 'random graphs with their guided gradients',
      name: `seed ${seed}`,
      async run() {
        const random = seededRandom(seed * 7919)
        const found = await compared(randomGraph(random), random)
        return found.map(({ relativeL2 }) => ({
          what: 'relative L2',
          found: relativeL2,
          tolerance: measure.graphTolerance,
        }))
      },
    })
  }
  for (const image of goldenImages('tiny').slice(0, measure.images)) {
    for (const scope of measure.scopes) {
      checks.push({
        group: 'golden data',
        name: `${image.image}, scope ${scope}`,
        run: async () =>
          complete(await goldenFigures(await explainer(scope, measure.objectives, 1), image, scope), measure),
      })
    }
  }
  if (measure.batch > 1) {
    checks.push({
      group: 'as a whole',
      name: "an image's result does not depend on the batch it is computed in",
      async run() {
        const [first, second] = goldenImages('tiny')
        const scope = measure.scopes[0] ?? 'all'
        const batched = await explainer(scope, measure.objectives.slice(0, 1), measure.batch)
        return goldenFigures(batched, second ?? absent(), scope, [goldenCrop(first ?? absent())])
      },
    })
  }
  return checks
}

/** Not every image has every array, but a scope without a single one would test nothing. */
function complete(figures: Figure[], { objectives }: Measure): Figure[] {
  const arrays = figures.filter(({ what }) => /^(gradient|map) /.test(what)).length
  return [...figures, { what: 'golden arrays missing', found: Math.max(0, objectives.length - arrays), tolerance: 0 }]
}

interface Errors {
  readonly error: number
  readonly scale: number
  readonly relativeL2: number
}

function errors(expected: ArrayLike<number>, found: ArrayLike<number>): Errors {
  let [error, scale, squares, norm] = [found.length === expected.length ? 0 : NaN, 0, 0, 0]
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? NaN
    const difference = Math.abs(value - (found[i] ?? NaN))
    // NaN would be lost in a maximum.
    error = difference <= error ? error : difference > error ? difference : NaN
    scale = Math.max(scale, Math.abs(value))
    squares += difference ** 2
    norm += value ** 2
  }
  return { error, scale, relativeL2: Math.sqrt(squares / Math.max(norm, Number.MIN_VALUE)) }
}

function absent(): GoldenImage {
  throw new Error('the golden data of the tiny network are incomplete')
}
