import { expect, test } from 'vitest'
import { externalDataFile } from '../../../../src/saliency/networks/onnx/externalData.ts'
import { tinyBytes } from '../../../support/tinyNetwork.ts'
import { tinyOnnx } from '../../../support/tinyOnnx.ts'

const named = (externalData: string) => externalDataFile(tinyOnnx({ externalData }).bytes, 'model.onnx')

test('the second file is named as the ONNX file names it, and is none where that holds its weights itself', () => {
  expect(named('model.onnx.data')).toBe('model.onnx.data')
  expect(externalDataFile(tinyOnnx().bytes, 'model.onnx')).toBeUndefined()
  expect(externalDataFile(tinyBytes, 'tiny_hp.pkl')).toBeUndefined()
})

test.each(['../model.onnx.data', '/etc/passwd', 'weights/model.onnx.data', 'weights\\model.onnx.data', '..', '.', ''])(
  'a second file called %j is refused',
  (name) => {
    expect(() => named(name)).toThrow(
      expect.objectContaining({
        code: 'unsupported-network',
        message: expect.stringContaining(
          `${JSON.stringify(name)}, and headlight reads only a file beside it`,
        ) as string,
      }),
    )
  },
)

test('retraining changes the second file alone', () => {
  const [first, second] = [1, 2].map((seed) => tinyOnnx({ seed, externalData: 'model.onnx.data' }))
  expect(first?.bytes).toEqual(second?.bytes)
  expect(first?.data).not.toEqual(second?.data)
})
