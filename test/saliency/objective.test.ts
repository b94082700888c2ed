import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import type { Scope } from '../../src/saliency/choices.ts'
import { createExplainer, type Explanation } from '../../src/saliency/explainer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { parseObjective, parseObjectives } from '../../src/saliency/objective.ts'
import { checkpointBytes, goldenImages } from '../support/golden.ts'

async function explain(objectives: string[], scope: Scope, batch = 1, images = [crop()]): Promise<Explanation[]> {
  const explainer = await createExplainer({
    network: loadNetwork(checkpointBytes('tiny_hp.pkl'), 'tiny_hp.pkl'),
    objectives,
    scope,
    style: 'origin',
    gradients: true,
    batch,
    engine: 'onnxruntime:cpu',
    intraOpThreads: 1,
  })
  try {
    return await explainer.explain(images)
  } finally {
    await explainer.dispose()
  }
}

function crop(index = 0): Uint8Array {
  const data = goldenImages('tiny')[index]?.array('crop_u8')?.data
  if (!(data instanceof Uint8Array)) throw new Error('no golden crop')
  return data
}

function gradient(explanation: Explanation | undefined, objective: string): Float32Array {
  const found = explanation?.objectives[objective]?.gradient
  if (!found) throw new Error(`no gradient of ${objective}`)
  return found
}

/** ‖a − b‖ / ‖b‖. */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0]
  a.forEach((value, i) => {
    difference += (value - (b[i] ?? NaN)) ** 2
    norm += (b[i] ?? NaN) ** 2
  })
  return Math.sqrt(difference / norm)
}

describe('names of objectives', () => {
  it('takes a minus before any of them', () => {
    const all = ['sum', 'yaw', 'pitch', 'roll', 'yaw:top', 'roll:bin:3', 'class:5'].map((name) => `-${name}`)
    expect(parseObjectives(all.join())).toEqual(all)
  })

  it('expands each and keeps repeated names once', () => {
    expect(parseObjectives('each,-yaw,yaw')).toEqual(['yaw', 'pitch', 'roll', '-yaw'])
    expect(parseObjectives('-each,-yaw')).toEqual(['-yaw', '-pitch', '-roll'])
    expect(parseObjectives('sum, yaw:top,yaw:bin:12,class:3')).toEqual(['sum', 'yaw:top', 'yaw:bin:12', 'class:3'])
  })

  it('takes names of outputs with hyphens and dots, which do not begin with a hyphen', () => {
    expect(parseObjectives('-output:heads.left-eye:3')).toEqual(['-output:heads.left-eye:3'])
    // As ONNX files call tensors: a folder and a column of SQL could not be called so.
    expect(parseObjectives('output:/fc/Gemm_output_0:3,-output:Partitioned:0:1')).toEqual([
      'output:fc_Gemm_output_0:3',
      '-output:Partitioned_0:1',
    ])
    expect(parseObjectives('output:_fc:3')).toEqual(['output:_fc:3'])
    expect(parseObjective('output:left-eye:3')).toMatchObject({ output: 'left-eye', index: 3 })
    expect(parseObjective('output:-eye:3')).toBeUndefined()
  })

  it.each(['', 'jaw', 'yaw:', 'yaw:bin:', 'yaw:bin:x', 'yaw:-top', '- yaw', 'class', '-class', 'sum,,yaw', '--yaw'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseObjectives(text)).toThrow(InputError)
    },
  )
})

describe('objectives on a real network', () => {
  it('sum is the sum of the three by plain gradient, but not once ReLUs are guided', async () => {
    for (const [scope, equal] of [
      ['none', true],
      ['all', false],
    ] as const) {
      const [explanation] = await explain(['sum', 'yaw', 'pitch', 'roll'], scope)
      const [yaw, pitch, roll] = ['yaw', 'pitch', 'roll'].map((name) => gradient(explanation, name))
      const added = gradient(explanation, 'yaw').map((_, i) => (yaw?.[i] ?? 0) + (pitch?.[i] ?? 0) + (roll?.[i] ?? 0))
      const apart = distance(added, gradient(explanation, 'sum'))
      if (equal) expect(apart).toBeLessThan(1e-5)
      else expect(apart).toBeGreaterThan(0.1)
    }
  })

  it('-yaw does not mirror yaw once ReLUs are guided', async () => {
    const [guided] = await explain(['yaw', '-yaw'], 'all')
    expect(
      distance(
        gradient(guided, '-yaw').map((v) => -v),
        gradient(guided, 'yaw'),
      ),
    ).toBeGreaterThan(0.1)
  })

  it('yaw:top is the bin with the largest logit', async () => {
    const [first] = await explain(['yaw:top'], 'all')
    const logits = [...(first?.outputs.yaw ?? [])]
    const top = logits.indexOf(Math.max(...logits))
    const [second] = await explain([`yaw:bin:${top}`, `yaw:bin:${(top + 7) % 61}`], 'all')
    expect(distance(gradient(second, `yaw:bin:${top}`), gradient(first, 'yaw:top'))).toBeLessThan(1e-6)
    expect(distance(gradient(second, `yaw:bin:${(top + 7) % 61}`), gradient(first, 'yaw:top'))).toBeGreaterThan(0.01)
  })

  it.each(['yaw', 'yaw:top', 'pitch:bin:3'])('-%s mirrors it by plain gradient', async (name) => {
    const [plain] = await explain([name, `-${name}`], 'none')
    const mirrored = gradient(plain, `-${name}`).map((value) => -value)
    expect(distance(mirrored, gradient(plain, name))).toBeLessThan(1e-6)
  })

  it.each([
    ['-yaw:bin:61', /only 61 bins \(0 to 60\)/],
    ['yaw:bin:61', /only 61 bins \(0 to 60\)/],
    ['class:0', /no output of classes/],
  ])('refuses %s, which this network does not have', async (name, message) => {
    await expect(explain([name], 'all')).rejects.toThrow(message)
  })

  it('an unknown engine is refused with the names of the known ones', async () => {
    const network = loadNetwork(checkpointBytes('tiny_hp.pkl'), 'tiny_hp.pkl')
    const options = { network, objectives: ['sum'], scope: 'all', style: 'origin', gradients: false, batch: 1 } as const
    await expect(createExplainer({ ...options, engine: 'theano', intraOpThreads: 1 })).rejects.toThrow(
      /theano.*onnxruntime.*reference/,
    )
  })
})

describe('batches', () => {
  it('an image gives the same result alone, in any place of a batch, and in a padded one', async () => {
    const [a, b] = [crop(0), crop(1)]
    const [alone] = await explain(['sum'], 'all', 1, [a])
    const full = await explain(['sum'], 'all', 3, [b, b, a])
    const padded = await explain(['sum'], 'all', 3, [a])
    for (const other of [full[2], padded[0]]) {
      expect(distance(gradient(other, 'sum'), gradient(alone, 'sum'))).toBeLessThan(2e-6)
      for (const angle of ['yaw', 'pitch', 'roll'] as const) {
        expect(Math.abs((other?.angles[angle] ?? NaN) - (alone?.angles[angle] ?? NaN))).toBeLessThan(1e-4)
      }
      expect(other?.objectives.sum?.map).toEqual(alone?.objectives.sum?.map)
    }
    expect(padded).toHaveLength(1)
  })
})
