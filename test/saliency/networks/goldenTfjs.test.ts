import { describeGoldenNetworks } from '../../support/goldenNetworks.ts'

describeGoldenNetworks('tfjs:wasm')
