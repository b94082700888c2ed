import { describeGoldenOnnx, describeOptimisedOnnx } from '../../support/goldenOnnx.ts'

describeGoldenOnnx('onnxruntime:cpu')

// Activations are then hidden in com.microsoft.FusedConv, FusedGemm and QuickGelu.
describeOptimisedOnnx('onnxruntime:cpu', [
  'resnet.torchscript9.onnx',
  'vgg.torchscript11.onnx',
  'mobilenet_v2.torchscript17.onnx',
  'mobilenet_v3_handmade.torchscript11.onnx',
  'densenet.torchscript9.onnx',
  'activations.torchscript9.onnx',
])
