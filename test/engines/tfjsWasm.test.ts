import { describeEngine, everything } from './conformance.ts'

describeEngine({ ...everything, engine: 'tfjs:wasm' })
