import { describe, expect, it } from 'vitest'
import { findEngine } from '../../src/saliency/engines/openEngine.ts'
import { createExplainer } from '../../src/saliency/explainer.ts'
import { elements } from '../../src/saliency/graph.ts'
import type { InputDescription } from '../../src/saliency/networks/description.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { constant, make } from '../../src/saliency/ops.ts'
import { buildProgram } from '../../src/saliency/program.ts'
import { programNames } from '../../src/saliency/programNames.ts'
import { seededRandom } from '../support/operationExamples.ts'

const [width, height] = [9, 8]
const random = seededRandom(11)

function input(changes: Partial<InputDescription>): InputDescription {
  const mean = changes.channels === 'gray' ? [0.4] : [0.5, -0.25, 0.125]
  const std = changes.channels === 'gray' ? [0.7] : [0.5, 0.3, 2]
  return { width, height, resize: 'stretch', channels: 'rgb', range: 1, mean, std, ...changes }
}

/** Its outputs are the normalised image, so that these can be looked at. */
function lookingGlass(of: InputDescription): Network {
  const classes = width * height * (of.channels === 'gray' ? 1 : 3)
  const outputs = [{ output: 'fc', outputs: classes, bias: false }]
  return {
    file: 'glass.pkl',
    digest: '',
    format: '',
    storedTypes: [],
    recognised: {
      architecture: { family: 'None', name: 'None', relus: 0 },
      facts: [],
      outputs,
      notes: [],
      batchNorm: { epsilon: 1e-5 },
      imageChannels: of.channels === 'gray' ? 1 : 3,
      smallestSide: 1,
      weights: new Map(),
      used: new Set(),
      build: (_, image) => {
        const weights = Array.from({ length: classes }, (__, i) => Math.sin(i) + 2)
        const flat = make('reshape', [image], { shape: [image.shape[0] ?? 1, classes] })
        return new Map([['fc', make('mul', [flat, constant(weights, [1, classes])])]])
      },
    },
    description: { input: of, heads: [{ kind: 'classes', output: 'fc', classes }] },
    provenance: {},
    notes: [],
    weights: new Map(),
  }
}

/** Pictures, height × width × channels: two of noise between other extremes, one of a single value. */
function pictures(channels: number): Uint8Array[] {
  const noise = (low: number, high: number) =>
    Uint8Array.from({ length: width * height * channels }, () => low + Math.round(random() ** 2 * (high - low)))
  return [noise(3, 250), noise(90, 140), new Uint8Array(width * height * channels).fill(77)]
}

/** What the network gets, channels × height × width, in doubles. */
function expected(picture: Uint8Array, { channels, normalise, range, mean, std }: InputDescription): number[] {
  const count = mean.length
  const [low, high] = normalise === 'min-max' ? [Math.min(...picture), Math.max(...picture)] : [0, 255]
  const order = channels === 'bgr' ? [2, 1, 0] : [0, 1, 2]
  return Array.from({ length: picture.length }, (_, index) => {
    const c = Math.floor(index / (width * height))
    const pixel = picture[(index % (width * height)) * count + (count === 1 ? 0 : (order[c] ?? 0))] ?? NaN
    const share = high === low ? 0 : (pixel - low) / (high - low)
    return (share * range - (mean[c] ?? NaN)) / (std[c] ?? NaN)
  })
}

const rules: readonly (readonly [name: string, rule: InputDescription])[] = [
  ['RGB', input({})],
  ['BGR to 255', input({ channels: 'bgr', range: 255 })],
  ['RGB from its darkest to its brightest', input({ normalise: 'min-max' })],
  ['BGR from its darkest to its brightest', input({ channels: 'bgr', normalise: 'min-max', range: 255 })],
  ['gray', input({ channels: 'gray' })],
  ['gray from its darkest to its brightest', input({ channels: 'gray', normalise: 'min-max', range: 2 })],
]

describe.each(['reference', 'onnxruntime:cpu', 'tfjs:wasm'])('what the network gets on %s', (engine) => {
  it.each(rules)('%s', async (_, rule) => {
    const images = pictures(rule.mean.length)
    const graph = buildProgram(lookingGlass(rule), {
      objectives: [],
      scope: 'none',
      style: 'origin',
      gradients: false,
      batch: images.length,
    })
    const executor = await (await findEngine(engine))(graph, { intraOpThreads: 1 })
    const pixels = new Uint8Array(images.length * (images[0]?.length ?? 0))
    for (const [index, image] of images.entries()) pixels.set(image, index * image.length)
    const results = await executor.run(new Map([[programNames.pixels, pixels]]))
    await executor.dispose()
    const outputs = results.get(programNames.output('classes')) ?? []
    expect(outputs).toHaveLength(pixels.length)
    const wanted = images.flatMap((image) => expected(image, rule))
    const scale = Math.max(...wanted.map(Math.abs))
    for (const [index, value] of wanted.entries()) {
      const weight = Math.sin(index % (pixels.length / images.length)) + 2
      expect(Math.abs((outputs[index] ?? NaN) / weight - value) / scale).toBeLessThan(1e-6)
    }
  })
})

describe('a map of gray', () => {
  it.each(['reference', 'onnxruntime:cpu', 'tfjs:wasm'])(
    'has one gradient and three equal channels on %s',
    async (engine) => {
      const rule = input({ channels: 'gray', normalise: 'min-max' })
      const explain = async (style: 'origin' | 'magnitude') => {
        const explainer = await createExplainer({
          network: lookingGlass(rule),
          objectives: ['class:7'],
          scope: 'none',
          style,
          gradients: true,
          batch: 1,
          engine,
          intraOpThreads: 1,
        })
        expect(explainer.imageBytes).toBe(width * height)
        const [explanation] = await explainer.explain(pictures(1).slice(0, 1))
        await explainer.dispose()
        return explanation?.objectives['class:7']
      }
      const origin = await explain('origin')
      // With respect to the normalised input: neither the range nor the picture's extremes are in it.
      const gradient = Array.from({ length: width * height }, (_, i) => (i === 7 ? Math.sin(7) + 2 : 0))
      expect([...(origin?.gradient ?? [])]).toEqual(gradient.map(Math.fround))
      const mean = (Math.sin(7) + 2) / elements([width, height])
      expect(origin?.mean).toBeCloseTo(mean, 6)
      expect(origin?.maxAbs).toBeCloseTo(Math.sin(7) + 2, 6)
      const map = origin?.map ?? new Uint8Array()
      expect(map).toHaveLength(width * height * 3)
      for (let at = 0; at < map.length; at += 3) expect([map[at + 1], map[at + 2]]).toEqual([map[at], map[at]])
      expect(map[21]).toBe(255)
      const magnitude = await explain('magnitude')
      expect(magnitude?.map).toHaveLength(width * height)
      expect(magnitude?.map[7]).toBe(255)
    },
  )
})
