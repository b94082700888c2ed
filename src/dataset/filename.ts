import type { AngleName } from '../pose/euler.ts'
import type { Adapter } from './adapter.ts'
import { listImages, noTruth } from './images.ts'
import { readPosedName } from './posedName.ts'

/**
 * The origin's file names. That its three angles stand for yaw, pitch and roll in that order is a guess, so the order is
 * an option. A name that does not fit belongs to a plain image without a label: it is computed like any other and
 * counted in the summary's total, but not among the n samples of its errors. It is no `bad-label`, since nothing says
 * that a name without angles was meant to have some.
 */
export function filenameAdapter(order: readonly AngleName[], glob?: string): Adapter {
  return {
    name: 'filename',
    glob,
    samples: listImages(glob),
    read: async (_dataset, sample) => ({ ...noTruth, ...readPosedName(sample.key, order) }),
  }
}
