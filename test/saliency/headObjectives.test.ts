import { describe, expect, test } from 'vitest'
import { openOnnxRuntime } from '../../src/saliency/engines/onnxruntime.ts'
import { recogniseNetwork } from '../../src/saliency/networks/families.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { checkOverride } from '../../src/saliency/networks/override.ts'
import { resolveDescription } from '../../src/saliency/networks/resolve.ts'
import { checkObjectives, parseObjectives, readsClasses } from '../../src/saliency/objective.ts'
import { buildProgram } from '../../src/saliency/program.ts'
import { programNames } from '../../src/saliency/programNames.ts'
import { seededRandom } from '../support/operationExamples.ts'
import { tinyWithHeads } from '../support/tinyNetwork.ts'

/** A small DenseNet with seeded outputs of these sizes, that sees 32 × 32. */
function networkWith(outputs: Readonly<Record<string, number>>, heads: unknown = []): Network {
  const shapes = Object.fromEntries(Object.entries(outputs).map(([output, count]) => [output, [count, 32]]))
  const random = seededRandom(5)
  const tensors = new Map(
    [...tinyWithHeads(shapes)].map(([name, tensor]) => [
      name,
      name.startsWith('features.') ? tensor : { ...tensor, data: tensor.data.map(random) },
    ]),
  )
  const recognised = recogniseNetwork(tensors, 'x.pkl')
  const override = checkOverride({ input: { width: 32, height: 32 }, heads }, 'x.pkl')
  const described = resolveDescription(recognised, override, 'x.pkl', tensors)
  return {
    ...described,
    file: 'x.pkl',
    digest: '',
    format: '',
    storedTypes: [],
    recognised,
    weights: recognised.weights,
  }
}

async function explain(network: Network, objectives: readonly string[], labels?: readonly number[]) {
  const options = { objectives, scope: 'all', style: 'origin', gradients: true, batch: 2 } as const
  const executor = await openOnnxRuntime('cpu')(buildProgram(network, options), { intraOpThreads: 1 })
  try {
    const random = seededRandom(9)
    const pixels = Uint8Array.from({ length: 2 * 32 * 32 * 3 }, () => 128 + 127 * random())
    const inputs = new Map<string, Uint8Array | Float32Array>([[programNames.pixels, pixels]])
    if (labels) inputs.set(programNames.labels, Float32Array.from(labels))
    const results = await executor.run(inputs)
    const half = (name: string, image: number): number[] => {
      const values = results.get(name) ?? new Float32Array()
      return Array.from(values.slice((image * values.length) / 2, ((image + 1) * values.length) / 2))
    }
    return {
      names: [...results.keys()],
      numbers: half,
      gradient: (objective: string, image = 0) => half(programNames.gradient(objective), image),
    }
  } finally {
    await executor.dispose()
  }
}

function distance(a: readonly number[], b: readonly number[]): number {
  let [difference, norm] = [0, 0]
  a.forEach((value, i) => {
    difference += (value - (b[i] ?? NaN)) ** 2
    norm += (b[i] ?? NaN) ** 2
  })
  return Math.sqrt(difference / norm)
}

const classifier = networkWith({ classifier: 7 })

describe('an ordinary classifier', () => {
  test('class:top is the class with the largest number, and output:N the class of that number', async () => {
    const first = await explain(classifier, ['class:top'])
    const scores = first.numbers(programNames.output('classes'), 1)
    const top = scores.indexOf(Math.max(...scores))
    const second = await explain(classifier, [`class:${top}`, `output:${top}`, `-output:classifier:${(top + 1) % 7}`])
    expect(distance(first.gradient('class:top', 1), second.gradient(`class:${top}`, 1))).toBeLessThan(1e-6)
    expect(distance(second.gradient(`output:${top}`, 1), second.gradient(`class:${top}`, 1))).toBeLessThan(1e-6)
    const other = second.gradient(`-output:classifier:${(top + 1) % 7}`, 1)
    expect(distance(other, second.gradient(`class:${top}`, 1))).toBeGreaterThan(0.01)
  })

  test('class:label is the class that is named for each image of a batch', async () => {
    const oneHot = [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    const found = await explain(classifier, ['class:label', '-class:label', 'class:4', '-class:1', 'class:1'], oneHot)
    expect(distance(found.gradient('class:label', 0), found.gradient('class:4', 0))).toBeLessThan(1e-6)
    expect(distance(found.gradient('class:label', 1), found.gradient('class:1', 1))).toBeLessThan(1e-6)
    expect(distance(found.gradient('-class:label', 1), found.gradient('-class:1', 1))).toBeLessThan(1e-6)
    expect(distance(found.gradient('class:4', 1), found.gradient('class:1', 1))).toBeGreaterThan(0.01)
  })

  test('a program takes classes only where it is asked for the class of each image', () => {
    expect(readsClasses(['sum', '-class:label'])).toBe(true)
    expect(readsClasses(['class:top', 'class:3'])).toBe(false)
  })
})

describe('outputs', () => {
  test('one that gives several angles is kept by its own name, and any number of it can be explained', async () => {
    const network = networkWith({ linear_reg: 6, fc_lm: 4 })
    const found = await explain(network, ['sum', 'output:fc_lm:3', 'output:linear_reg:0'])
    const kept = found.names.filter((name) => /^(angle|output)\//.test(name))
    expect(kept).toEqual(['angle/yaw', 'angle/pitch', 'angle/roll', 'output/linear_reg'])
    expect(distance(found.gradient('output:fc_lm:3'), found.gradient('output:linear_reg:0'))).toBeGreaterThan(0.01)
  })

  test('the sum is of the angles that a network gives', async () => {
    const network = networkWith({ fc_yaw_gaze: 90, fc_pitch_gaze: 90 })
    const options = { scope: 'none', style: 'origin', gradients: true, batch: 2 } as const
    expect(() => buildProgram(network, { ...options, objectives: ['roll'] })).toThrow(/no roll head/)
    const found = await explain(network, ['sum'])
    expect(found.names).toContain('angle/pitch')
    expect(found.names).not.toContain('angle/roll')
  })
})

describe('which objectives a network has', () => {
  const bins = networkWith({ fc_yaw: 66, fc_pitch: 66, fc_roll: 66 })
  const rotation = networkWith({ linear_reg: 6 })
  const beside = networkWith({ fc_yaw: 1, 'fc.lm': 4 })
  test.each([
    [classifier, 'sum', 'no head that gives an angle; use class:N, class:top, class:label or output:N'],
    [
      networkWith({ fc: 6 }),
      'sum',
      'no head that gives an angle; use class:N, class:top, class:label or output:N; if fc gives a rotation, say so: heads: [{output: fc, kind: rotation6d, euler: zyx}] in x.pkl.yaml',
    ],
    [classifier, 'class:7', 'only 7 classes (0 to 6)'],
    [classifier, 'output:7', 'only 7 numbers in classifier (0 to 6)'],
    [classifier, '-yaw', 'no yaw head; use class:N, class:top, class:label or output:N'],
    [rotation, 'yaw:top', 'no binned yaw head; use sum, yaw, pitch, roll or output:N'],
    [rotation, 'pitch:bin:3', 'no binned pitch head; use sum, yaw, pitch, roll or output:N'],
    [rotation, 'class:label', 'no output of classes; use sum, yaw, pitch, roll or output:N'],
    [bins, 'yaw:bin:66', 'only 66 bins (0 to 65)'],
    [bins, 'class:top', 'no output of classes; use sum, yaw, pitch, roll, yaw:top, yaw:bin:N or output:fc_yaw:N'],
    [bins, 'output:3', '3 outputs; name one, as output:fc_yaw:3 (the others are fc_pitch, fc_roll)'],
    [bins, 'output:fc_jaw:3', 'no output fc_jaw; did you mean "fc_yaw"?'],
    [bins, 'output:fc_yaw:66', 'only 66 numbers in fc_yaw (0 to 65)'],
    [beside, 'output:fc.lm:4', 'only 4 numbers in fc.lm (0 to 3)'],
  ])('%#: %s', (network, objective, lack) => {
    expect(() => checkObjectives(['output:fc_yaw:0', objective].slice(network === bins ? 0 : 1), network)).toThrow(
      `objective "${objective}" cannot be computed with this network: it has ${lack}`,
    )
  })

  test('names of new ones', () => {
    const names = [
      'class:top',
      '-class:label',
      'output:0',
      'output:fc_lm:12',
      '-output:classifier_ori.1:3',
      'output:a-b:3',
    ]
    expect(parseObjectives(names.join())).toEqual(names)
    for (const name of ['class:best', 'output', 'output:', 'output:fc:', 'output:-1']) {
      expect(() => parseObjectives(name)).toThrow(/is unknown: use sum/)
    }
  })
})
