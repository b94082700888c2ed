import { angleNames } from '../pose/euler.ts'
import { defineAdapter } from './adapterDefinition.ts'
import { globText, imageFlags, imageOptions, imageOptionsOf, listImages, noTruth } from './images.ts'
import { labelSigns, labelSignsFlag, signsOption } from './labelSigns.ts'
import { readPosedName } from './posedName.ts'
import { UnusableLabel } from './unusableLabel.ts'

/**
 * The origin's file names. That its three angles stand for yaw, pitch and roll in that order is a guess, so the order is
 * an option. A name that does not fit belongs to a plain image without a label: it is computed like any other and
 * counted in the summary's total, but not among the n samples of its errors. It is no `bad-label`, since nothing says
 * that a name without angles was meant to have some.
 */
export const filename = defineAdapter({
  name: 'filename',
  summary: 'reads the pose from names like BIWI00009409_-17_+1_+17.png',
  flags: { ...imageFlags, labelSigns: labelSignsFlag },
  options: imageOptions('filename').extend({ labelSigns }),
  optionsOf: (settings) => ({ ...imageOptionsOf('filename', settings), ...signsOption(settings.labelSigns) }),
  open: ({ glob, filenameAngles: order }) => ({
    name: 'filename',
    glob,
    samples: listImages(glob),
    read: async (_dataset, sample) => {
      const named = readPosedName(sample.key, order)
      if (named?.pose !== null) return { ...noTruth, ...named }
      const message = `the file name of ${JSON.stringify(sample.key)} tells an angle beyond ±360°; rename it`
      throw new UnusableLabel(message, { ...noTruth, frame: named.frame })
    },
  }),
  describe: ({ glob, filenameAngles: order }) => [`angles ${order.join(', ')}`, ...globText(glob)],
  flagForOrder: ({ filenameAngles: given }, order) => {
    const meant = given.map((name) => angleNames[order.indexOf(name)] ?? name)
    return meant.join() === given.join() ? null : `--filename-angles ${meant.join(',')}`
  },
  withoutPoses: 'no name of those looked at holds a pose, like face_-17_+1_+17.png: yaw, pitch, roll in degrees',
})
