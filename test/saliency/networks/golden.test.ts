import { describeGoldenNetworks } from '../../support/goldenNetworks.ts'

describeGoldenNetworks('onnxruntime:cpu')
