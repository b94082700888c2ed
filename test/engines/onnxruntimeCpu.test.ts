import { describeEngine } from './conformance.ts'

describeEngine({
  engine: 'onnxruntime:cpu',
  operationTolerance: 2e-6,
  graphTolerance: 1e-5,
  scopes: ['all', 'stem', 'none'],
  objectives: ['sum', 'yaw', 'pitch', 'roll'],
  images: 2,
  batch: 3,
})
