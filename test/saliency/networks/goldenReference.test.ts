import { describeGoldenNetworks } from '../../support/goldenNetworks.ts'

// One of each kind of layer; what engines do is otherwise held by their conformance.
describeGoldenNetworks('reference', [
  'resnet18_6d',
  'repvgg_g2_6d',
  'mobilenet_v1_3dmm',
  'mobilenet_v2_6d',
  'shufflenet_v2_bins',
])
