import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { GraphProtoSchema, ModelProtoSchema, NodeProtoSchema } from 'onnx-buf'
import { expect, test } from 'vitest'
import { loadNetwork } from '../../../../src/saliency/networks/load.ts'
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

test('weights in the branch of an If may lie in the second file', () => {
  const model = fromBinary(ModelProtoSchema, tinyOnnx({ externalData: 'model.onnx.data' }).bytes)
  const g = create(GraphProtoSchema, { initializer: model.graph?.initializer ?? [] })
  const node = [create(NodeProtoSchema, { opType: 'If', attribute: [{ name: 'then_branch', g }] })]
  const nested = toBinary(ModelProtoSchema, { ...model, graph: create(GraphProtoSchema, { node }) })
  expect(externalDataFile(nested, 'model.onnx')).toBe('model.onnx.data')
})

test('a second file that ends before a tensor does is of another export', () => {
  const { bytes, data } = tinyOnnx({ externalData: 'model.onnx.data' })
  const reading = (end: number) => () => {
    const second = { file: 'model.onnx.data', bytes: data.subarray(0, end) }
    const { weights } = loadNetwork(bytes, 'model.onnx', undefined, undefined, second)
    return [...weights.values()].map((tensor) => tensor.data.length)
  }
  expect(reading(data.length)).not.toThrow()
  expect(reading(data.length - 1)).toThrow(
    expect.objectContaining({
      code: 'bad-checkpoint',
      message: expect.stringMatching(
        /^model\.onnx looks for fc_roll\.bias in bytes \d+ to \d+ of model\.onnx\.data, which has \d+: it belongs to another export/,
      ) as string,
    }),
  )
})
