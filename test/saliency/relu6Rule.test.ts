import { expect, test } from 'vitest'
import type { Relu6Rule } from '../../src/saliency/choices.ts'
import { createExplainer } from '../../src/saliency/explainer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { constant, make } from '../../src/saliency/ops.ts'
import { tinyBytes } from '../support/tinyNetwork.ts'

const tiny = loadNetwork(tinyBytes, 'tiny_hp.pkl')
const side = 8

/** yaw = mean of ReLU6(2 · image), the first channel counted negative. */
const network: Network = {
  ...tiny,
  description: {
    input: { ...tiny.description.input, width: side, height: side },
    heads: [{ kind: 'value', output: 'fc', angle: 'yaw', unit: 'degrees', sign: 1 }],
  },
  recognised: {
    ...tiny.recognised,
    build: (_, image) => {
      const capped = make('relu6', [make('mul', [image, constant([2], [1])])])
      const weighted = make('mul', [capped, constant([-1, 1, 1], [1, 3, 1, 1])])
      return new Map([
        ['fc', make('reshape', [make('reduceMean', [weighted], { axes: [1, 2, 3] })], { shape: [1, 1] })],
      ])
    },
  },
}

/** Of the first pixel, per channel, in units of 2 / number of values. */
async function gradientAtFirstPixel(relu6: Relu6Rule | undefined): Promise<number[]> {
  const explainer = await createExplainer({
    network,
    objectives: ['yaw'],
    scope: 'all',
    ...(relu6 === undefined ? {} : { relu6 }),
    style: 'magnitude',
    gradients: true,
    batch: 1,
    engine: 'reference',
    intraOpThreads: 1,
  })
  const [explained] = await explainer.explain([new Uint8Array(explainer.imageBytes).fill(200)])
  await explainer.dispose()
  const gradient = explained?.objectives['yaw']?.gradient ?? new Float32Array()
  const pixels = side * side
  return [0, 1, 2].map((channel) => Math.round(((gradient[channel * pixels] ?? NaN) * 3 * pixels) / 2))
}

test('what arrives negative at a ReLU6 passes it where it is plain, and only there', async () => {
  expect(await gradientAtFirstPixel(undefined)).toEqual([0, 1, 1])
  expect(await gradientAtFirstPixel('guided')).toEqual([0, 1, 1])
  expect(await gradientAtFirstPixel('plain')).toEqual([-1, 1, 1])
})
