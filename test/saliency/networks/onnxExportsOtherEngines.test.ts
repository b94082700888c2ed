import { describeGoldenOnnx } from '../../support/goldenOnnx.ts'

// One of each kind of operator; what engines do is otherwise held by their conformance.
for (const engine of ['reference', 'tfjs:wasm'])
  describeGoldenOnnx(engine, [
    'mobilenet_v3.dynamo.onnx',
    'inception.torchscript9.onnx',
    'squeezenet.torchscript11.onnx',
    'regnet.torchscript20.dynamic.onnx',
    'activations.dynamo.onnx',
    'local_response.torchscript9.onnx',
    'rotation.torchscript17.onnx',
  ])
