import { expect, test } from 'vitest'
import { isOnnx } from '../../../../src/saliency/networks/onnx/modelFile.ts'

test.each([
  ['PyTorch writes its name first', '\x08\x0a\x12\x07pytorch\x1a\x062.13.0', true],
  ['a name that is empty', '\x08\x07\x12\x00:\xff\x01', true],
  ['no name, the graph at once', '\x08\x07:\xff\x01', true],
  ['a SavedModel, whose second field is a long message', '\x08\x01\x12\xb2\x9a\x01\x0a', false],
  ['a network of Core ML, whose second field is a short message', '\x08\x04\x12\x20\x0a\x10', false],
  ['a field that no model has', '\x08\x04\x6a\x20', false],
  ['nothing', '', false],
])('%s', (_, start, isOne) => {
  expect(isOnnx(Buffer.from(start, 'latin1'))).toBe(isOne)
})
