import { describeGoldenNetworks } from '../../support/goldenNetworks.ts'

describeGoldenNetworks('reference')
