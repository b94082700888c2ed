import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readWeights } from '../../../src/saliency/weights/read.ts'
import { legacyPreamble, pickle, tensor, torchZip, zip } from '../../support/writeCheckpoint.ts'

function tar(name: string): Buffer {
  const header = Buffer.alloc(1024)
  header.write(name)
  header.write('ustar', 257)
  return header
}

describe('a file that is no checkpoint is refused by what it looks like', () => {
  test.each([
    ['an empty file', Buffer.alloc(0), /^x\.pkl is empty: copy or download it again/],
    ['a git-lfs pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\n'), /git lfs pull/],
    ['an HTML page', Buffer.from('\n<!DOCTYPE html><html><body>Sign in</body></html>'), /an HTML page/],
    ['an ONNX file', Buffer.from('\x08\x08\x12\x07pytorch\x1a\x062.13.0:\xff\x01', 'latin1'), /an ONNX file/],
    ['an HDF5 file', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), /an HDF5 file.*model\.export.*format="onnx"/],
    [
      'a SavedModel',
      Buffer.from('\x08\x01\x12\xb2\x9a\x01\x0a', 'latin1'),
      /a SavedModel.*tf2onnx\.convert --saved-model/,
    ],
    [
      'a frozen graph',
      Buffer.from('\n5\n\x05input\x12\x0bPlaceholder*', 'latin1'),
      /a frozen graph of TensorFlow.*tf2onnx\.convert --graphdef/,
    ],
    [
      'a network of Core ML',
      Buffer.from('\x08\x04\x12\x20\n\x10', 'latin1'),
      /of Core ML \(export the network that it/,
    ],
    ['a network of TensorFlow Lite', Buffer.from('\x1c\0\0\0TFL3', 'latin1'), /TensorFlow Lite.*--tflite/],
    [
      "a file of ONNX Runtime's own",
      Buffer.from('\x18\0\0\0ORTM', 'latin1'),
      /own format \(export the network that it/,
    ],
    ['a network of ncnn', Buffer.from('7767517\n31 31\n'), /of ncnn \(export the network that it was made of to ONNX/],
    ['a network of OpenVINO', Buffer.from('<?xml version="1.0"?>\n<net name="a">'), /of OpenVINO \(export the network/],
    ['another XML document', Buffer.from('<?xml version="1.0"?>\n<netlist>'), /an XML document; headlight reads/],
    ['a PNG picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), /a PNG picture/],
    ['a gzip file', gzipSync('abc'), /a gzip file/],
    ['a tar archive', tar('storages'), /a tar archive/],
    ['JSON', Buffer.from('{"error": "not found"}'), /JSON text/],
    ['text', Buffer.from('Not Found'), /looks like text/],
    [
      'noise',
      Buffer.from('\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x00', 'latin1'),
      /^x\.pkl is no network; headlight reads PyTorch, safe/,
    ],
    [
      'a model of Keras',
      zip([['model.weights.h5', Buffer.from('x')]]),
      /a model of Keras.*model\.export\("model\.onnx"/,
    ],
    [
      'a program of torch.export',
      zip([['ep/models/model.json', Buffer.from('{}')]]),
      /torch\.onnx\.export\(torch\.export\.load\(FILE\)/,
    ],
    ['an ONNX file in a zip file', zip([['model.onnx', Buffer.from('x')]]), /with an ONNX file in it.*unpack it/],
    ['a NumPy archive', zip([['a.npy', Buffer.from('x')]]), /a NumPy archive/],
    ['another zip file', zip([['word/document.xml', Buffer.from('x')]]), /a zip file without data\.pkl/],
    ['an empty zip file', Buffer.from('PK\x03\x04'), /no directory at its end/],
    [
      'a TorchScript program',
      zip([
        ['m/data.pkl', pickle(1)],
        ['m/code/a.py', Buffer.from('x')],
        ['m/constants.pkl', pickle(1)],
      ]),
      /a TorchScript program.*torch\.onnx\.export\(torch\.jit\.load\(FILE\), …, dynamo=False\)$/,
    ],
    [
      'a pickle of plain data',
      pickle({ a: [1, 2.5, null, true, 'x', 2 ** 40] }),
      /a Python pickle that torch\.save did not write/,
    ],
    ['a checkpoint of a number', torchZip(7), /holds no dictionary of weights/],
    ['a checkpoint of one tensor', torchZip(tensor('0', [2])), /holds no dictionary of weights/],
    [
      'a legacy file of nothing',
      Buffer.concat([...legacyPreamble(), pickle({}), pickle([])]),
      /holds no dictionary of weights/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => readWeights(bytes, 'x.pkl')).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'bad-checkpoint', message: expect.stringMatching(message) }),
    )
  })

  test('weights of an ONNX network, by the name that exporters give them', () => {
    expect(() => readWeights(Buffer.alloc(64, '\x3f\x80'), 'x.onnx.data')).toThrow(
      expect.objectContaining({
        code: 'bad-checkpoint',
        message: 'x.onnx.data holds only the weights of an ONNX network: give x.onnx, which lies beside it',
      }),
    )
  })

  test('the name of the file does not matter', () => {
    const bytes = torchZip({ 'w.weight': tensor('0', [2]) })
    expect(readWeights(bytes, 'network.safetensors').format).toBe('PyTorch zip')
  })
})
