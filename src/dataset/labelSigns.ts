import { z } from 'zod'
import { InputError } from '../base/errors.ts'
import { angleNames, type AngleName, type Pose } from '../pose/euler.ts'
import type { Adapter } from './adapter.ts'

/** The option that the flag `--label-signs` becomes: the angles of labels that are turned round. Absent: none. */
export const labelSigns = z.partialRecord(z.enum(angleNames), z.literal(-1)).optional()
type LabelSigns = z.output<typeof labelSigns>

/** The flag `--label-signs`. */
export const labelSignsFlag = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .optional()
  .meta({
    group: 'data',
    placeholder: 'SIGNS',
    automatic: 'labels are taken as they are',
    description:
      'Adapters with labels: turn the sign of angles in the labels, by comma: yaw=-1,roll=-1. A network that answers with other signs needs `sign` in its description instead.',
  })

/** `yaw=-1,roll=-1` as an adapter's option; nothing when no sign is turned. Raises InputError `bad-option`. */
export function signsOption(given: z.output<typeof labelSignsFlag>): { labelSigns?: NonNullable<LabelSigns> } {
  const signs: Partial<Record<AngleName, -1>> = {}
  const parts = [given ?? []].flat().join(',').split(',')
  for (const part of parts.map((written) => written.trim()).filter((written) => written !== '')) {
    const [, name, sign] = /^(\w+) *= *([+-]?1)$/.exec(part) ?? []
    const angle = angleNames.find((known) => known === name)
    if (angle === undefined) {
      throw new InputError('bad-option', `--label-signs takes yaw, pitch or roll with =-1 or =1, not "${part}"`)
    }
    if (sign === '-1') signs[angle] = -1
    else delete signs[angle]
  }
  return Object.keys(signs).length === 0 ? {} : { labelSigns: signs }
}

/** The adapter, with these signs turned in its labels. Boxes and all else stay. */
export function withSigns(adapter: Adapter, signs: LabelSigns): Adapter {
  if (signs === undefined) return adapter
  // Adding 0 turns −0 into 0.
  const turned = (pose: Pose, name: AngleName) => pose[name] * (signs[name] ?? 1) + 0
  return {
    ...adapter,
    read: async (dataset, sample) => {
      const truth = await adapter.read(dataset, sample)
      const { pose } = truth
      if (pose === null) return truth
      return {
        ...truth,
        pose: { yaw: turned(pose, 'yaw'), pitch: turned(pose, 'pitch'), roll: turned(pose, 'roll') },
      }
    },
  }
}

/** For people: `yaw and roll turned`. */
export function signsText(signs: LabelSigns): string[] {
  const names = angleNames.filter((name) => signs?.[name] === -1)
  return names.length === 0 ? [] : [`labels' ${names.join(' and ')} turned`]
}
