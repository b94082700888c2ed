import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { decodeImage } from '../../../src/image/codec.ts'
import { cropToInput } from '../../../src/image/crop.ts'
import { createExplainer } from '../../../src/saliency/explainer.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { isWithin, type Figure } from '../../support/figure.ts'
import { angleTolerance, gradientTolerance, mapTolerance } from '../../support/goldenFigures.ts'
import { gradientError, mapError } from '../../support/goldenNetworks.ts'

// Real weights of 3DDFA_V2 on four photographs, which are not part of the repository; what PyTorch gives for them is.
const real = new URL('../../../../shared/real/', import.meta.url)

/** Made by test/golden/networks/mb05.py. */
const { mean, std, step, photographs } = z
  .object({
    mean: z.array(z.number()),
    std: z.array(z.number()),
    step: z.int(),
    photographs: z.array(
      z.object({
        file: z.string(),
        box: z.tuple([z.int(), z.int(), z.int(), z.int()]),
        angles: z.object({ yaw: z.number(), pitch: z.number(), roll: z.number() }),
        parameters: z.array(z.number()),
        gradients: z.array(
          z.object({
            scope: z.enum(['all', 'none']),
            objective: z.string(),
            mean: z.number(),
            std: z.number(),
            pytorch_error: z.number(),
            unit: z.number(),
            values: z.array(z.int()),
          }),
        ),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../golden/networks/mb05.json', import.meta.url), 'utf8')))

describe.runIf(existsSync(new URL('networks/mb05_120x120.pth', real)))('mb05 of 3DDFA_V2', () => {
  test.each(photographs)('sees $file as PyTorch does', async ({ file, box, angles, parameters, gradients }) => {
    const network = loadNetwork(readFileSync(new URL('networks/mb05_120x120.pth', real)), 'mb05_120x120.pth', {
      input: {
        width: 120,
        height: 120,
        resize: 'stretch',
        channels: 'bgr',
        range: 255,
        mean: [127.5, 127.5, 127.5],
        std: [128, 128, 128],
      },
      heads: [{ kind: 'pose3dmm', output: 'fc_param', mean, std }],
    })
    const image = await decodeImage(readFileSync(new URL(file, real)), { maxPixels: 1e8, applyExifOrientation: false })
    const [x0, y0, x1, y1] = box
    const { pixels } = cropToInput(image, { x0, y0, x1, y1 }, network.description.input)
    for (const scope of ['all', 'none'] as const) {
      const wanted = gradients.filter((gradient) => gradient.scope === scope)
      const explainer = await createExplainer({
        network,
        objectives: wanted.map(({ objective }) => objective),
        scope,
        style: 'origin',
        gradients: true,
        batch: 1,
        engine: 'onnxruntime:cpu',
        intraOpThreads: 1,
      })
      const [found] = await explainer.explain([pixels])
      await explainer.dispose()
      const figures: Figure[] = (['yaw', 'pitch', 'roll'] as const).map((angle) => ({
        what: angle,
        found: Math.abs((found?.angles[angle] ?? NaN) - angles[angle]),
        tolerance: angleTolerance,
      }))
      for (const [index, parameter] of parameters.entries()) {
        const off = Math.abs((found?.outputs['fc_param']?.[index] ?? NaN) - parameter)
        figures.push({ what: `parameter ${index}`, found: off, tolerance: 1e-4 })
      }
      for (const gradient of wanted) {
        const shown = found?.objectives[gradient.objective]
        if (!shown?.gradient) throw new Error(`no gradient of ${gradient.objective}`)
        const expected = gradient.values.map((value) => value * gradient.unit)
        const grid = { width: 120, height: 120, first: step / 2, step }
        const what = `${gradient.objective}, scope ${scope}`
        figures.push(
          {
            what: `gradient of ${what}`,
            found: gradientError(shown.gradient, expected, grid),
            tolerance: gradientTolerance(gradient.pytorch_error),
          },
          { what: `map of ${what}`, found: mapError(shown.map, expected, gradient, grid), tolerance: mapTolerance },
        )
      }
      expect(figures.filter((figure) => !isWithin(figure))).toEqual([])
    }
  })
})
