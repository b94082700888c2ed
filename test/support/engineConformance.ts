import { describe, expect, it } from 'vitest'
import type { Scope } from '../../src/saliency/choices.ts'
import { findEngine, type EngineName } from '../../src/saliency/engines/openEngine.ts'
import { openReference } from '../../src/saliency/engines/reference.ts'
import { createExplainer, type Explainer } from '../../src/saliency/explainer.ts'
import { elements, topological, type Graph } from '../../src/saliency/graph.ts'
import { checkKnownAnswer } from '../../src/saliency/knownAnswer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { make } from '../../src/saliency/ops.ts'
import { expectGolden, goldenCrop } from './expectGolden.ts'
import { checkpointBytes, goldenImages, type GoldenImage } from './golden.ts'
import { operationExamples, seededRandom } from './operationExamples.ts'
import { randomGraph } from './randomGraph.ts'

interface EngineUnderTest {
  readonly engine: EngineName
  readonly enginesFolder?: string
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
export const everything: Omit<EngineUnderTest, 'engine'> = {
  operationTolerance: 2e-6,
  graphTolerance: 1e-5,
  scopes: ['all', 'stem', 'none'],
  objectives: ['sum', 'yaw', 'pitch', 'roll'],
  images: 2,
  batch: 3,
}

/** What every engine must do. One test file per engine calls it, so that each native library has a process of its own. */
export function describeEngine(tested: EngineUnderTest): void {
  const { engine, enginesFolder } = tested
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

  describe(`${engine}: one operation at a time`, () => {
    for (const [op, examples] of Object.entries(operationExamples)) {
      it(`${op}`, async () => {
        for (const [index, build] of examples.entries()) {
          const random = seededRandom(index + op.length * 17)
          // Seven channels are no multiple of any blocked layout, eight of some.
          for (const channels of [7, 8]) {
            const x = make('input', [], { name: 'x', shape: [2, channels, 6, 5], dtype: 'float32' })
            const graph: Graph = { outputs: new Map([['y', build({ x, random })]]) }
            for (const { error, scale } of await errors(graph, random)) {
              expect(error).toBeLessThanOrEqual(tested.operationTolerance * Math.max(scale, 1))
            }
          }
        }
      })
    }
  })

  describe(`${engine}: random graphs with their guided gradients`, () => {
    for (let seed = 1; seed <= 8; seed++) {
      it(`seed ${seed}`, async () => {
        const random = seededRandom(seed * 7919)
        for (const { relativeL2 } of await errors(randomGraph(random), random)) {
          expect(relativeL2).toBeLessThanOrEqual(tested.graphTolerance)
        }
      })
    }
  })

  it(`${engine}: knows the answer`, async () => {
    await expect(checkKnownAnswer(await open())).resolves.toMatchObject({ device: expect.any(String) as string })
  })

  describe(`${engine}: golden data of the tiny network`, () => {
    for (const image of goldenImages('tiny').slice(0, tested.images)) {
      for (const scope of tested.scopes) {
        it(`${image.image}, scope ${scope}`, { timeout: 300_000 }, async () => {
          const compared = await expectGolden(await explainer(scope, tested.objectives, 1), image, scope)
          // Not every image has every array, but a scope without a single one would test nothing.
          expect(compared).toBeGreaterThanOrEqual(tested.objectives.length)
        })
      }
    }
  })

  it.runIf(tested.batch > 1)(
    `${engine}: an image's result does not depend on the batch it is computed in`,
    async () => {
      const [first, second] = goldenImages('tiny')
      const scope = tested.scopes[0] ?? 'all'
      const batched = await explainer(scope, tested.objectives.slice(0, 1), tested.batch)
      await expectGolden(batched, second ?? absent(), scope, [goldenCrop(first ?? absent())])
    },
  )

  async function errors(graph: Graph, random: () => number) {
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
    return [...expected].map(([name, values]) => {
      const found = actual.get(name) ?? []
      expect(found.length).toBe(values.length)
      let [error, scale, squares, norm] = [0, 0, 0, 0]
      values.forEach((value, i) => {
        const difference = Math.abs(value - (found[i] ?? NaN))
        // NaN would be lost in a maximum.
        error = difference <= error ? error : difference
        scale = Math.max(scale, Math.abs(value))
        squares += difference ** 2
        norm += value ** 2
      })
      return { error, scale, relativeL2: Math.sqrt(squares / Math.max(norm, Number.MIN_VALUE)) }
    })
  }
}

/** Says by name that an engine was not run here, and why. */
export function describeNotRun(engine: EngineName, why: string): void {
  it(`${engine} is not run here: ${why}`, (context) => context.skip(why))
}

function absent(): GoldenImage {
  throw new Error('the golden data of the tiny network are incomplete')
}
