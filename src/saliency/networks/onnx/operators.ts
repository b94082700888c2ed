import type { Operators } from './call.ts'
import { activations } from './operators/activations.ts'
import { arithmetic } from './operators/arithmetic.ts'
import { comparisons } from './operators/comparisons.ts'
import { constants } from './operators/constants.ts'
import { convolution } from './operators/convolution.ts'
import { layouts } from './operators/layouts.ts'
import { linear } from './operators/linear.ts'
import { normalisation } from './operators/normalisation.ts'
import { padding } from './operators/padding.ts'
import { pooling } from './operators/pooling.ts'
import { reductions } from './operators/reductions.ts'
import { resampling } from './operators/resampling.ts'
import { softmax } from './operators/softmax.ts'

/** Every operator that is read, by its name. A new one is an entry in one of these files. */
export const operators: Operators = {
  ...convolution,
  ...pooling,
  ...activations,
  ...linear,
  ...normalisation,
  ...arithmetic,
  ...layouts,
  ...constants,
  ...comparisons,
  ...reductions,
  ...softmax,
  ...padding,
  ...resampling,
}
