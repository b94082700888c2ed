import { describeEngine, everything } from '../../support/engineConformance.ts'

describeEngine({ ...everything, engine: 'onnxruntime:cpu' })
