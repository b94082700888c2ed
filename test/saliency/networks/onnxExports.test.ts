import { describeGoldenOnnx } from '../../support/goldenOnnx.ts'

describeGoldenOnnx('onnxruntime:cpu')
