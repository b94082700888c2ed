import { describe, expect, it } from 'vitest'
import { createExplainer } from '../../../src/saliency/explainer.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { isWithin } from '../../support/figure.ts'
import { checkpointBytes, goldenImages, largerDataPresent } from '../../support/golden.ts'
import { goldenFigures } from '../../support/goldenFigures.ts'

// The golden data of DenseNet-121 weigh 35 MB and are not part of the repository.
describe.runIf(largerDataPresent)('onnxruntime:cpu, DenseNet-121', () => {
  for (const image of largerDataPresent ? goldenImages('densenet121') : []) {
    for (const scope of ['all', 'stem', 'none'] as const) {
      it(`${image.image}, scope ${scope}`, async () => {
        const explainer = await createExplainer({
          network: loadNetwork(checkpointBytes('densenet121_hp.pkl'), 'densenet121_hp.pkl'),
          objectives: ['sum', 'yaw', 'pitch', 'roll'],
          scope,
          style: 'origin',
          gradients: true,
          batch: 1,
          engine: 'onnxruntime:cpu',
          intraOpThreads: 2,
        })
        const figures = await goldenFigures(explainer, image, scope)
        expect(figures.filter((figure) => !isWithin(figure))).toEqual([])
      })
    }
  }
})
