import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createExplainer, type Explainer } from '../../../src/saliency/explainer.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { isWithin } from '../../support/figure.ts'
import { checkpointBytes, goldenImages, largerDataPresent } from '../../support/golden.ts'
import { goldenFigures } from '../../support/goldenFigures.ts'

// The golden data of DenseNet-121 weigh 35 MB and are not part of the repository.
describe.runIf(largerDataPresent)('onnxruntime:cpu, DenseNet-121', () => {
  describe.each(['all', 'stem', 'none'] as const)('scope %s', (scope) => {
    // One for all images: to make it takes longer than to compute with it.
    let explainer: Explainer
    beforeAll(async () => {
      explainer = await createExplainer({
        network: loadNetwork(checkpointBytes('densenet121_hp.pkl'), 'densenet121_hp.pkl'),
        objectives: ['sum', 'yaw', 'pitch', 'roll'],
        scope,
        style: 'origin',
        gradients: true,
        batch: 1,
        engine: 'onnxruntime:cpu',
        intraOpThreads: 2,
      })
    })
    afterAll(() => explainer.dispose())

    it.each((largerDataPresent ? goldenImages('densenet121') : []).map((image) => [image.image, image] as const))(
      '%s',
      async (_, image) => {
        const kept = { ...explainer, dispose: () => Promise.resolve() }
        const figures = await goldenFigures(kept, image, scope)
        expect(figures.filter((figure) => !isWithin(figure))).toEqual([])
      },
    )
  })
})
