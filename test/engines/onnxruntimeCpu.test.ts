import { describeEngine, everything } from './conformance.ts'

describeEngine({ ...everything, engine: 'onnxruntime:cpu' })
