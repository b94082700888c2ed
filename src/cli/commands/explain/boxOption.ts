import { Option } from 'commander'
import { InputError } from '../../../base/errors.ts'
import type { Box } from '../../../dataset/adapter.ts'
import { settingsSchema, type Settings } from '../../settings/optionSchema.ts'

const placeholder = 'X0,Y0,X1,Y1'

/**
 * `--box` of `explain`: where the head is, or the adapter's rule, which is a setting. Were it stored under the setting's
 * name, coordinates would be refused as a rule that there is not.
 */
export class BoxOption extends Option {
  constructor() {
    super(
      `--box <${placeholder}|RULE>`,
      'the part of the image that the network shall see, in image pixels (default: what the adapter says, else the whole image); or, for the adapter aflw2000, hopenet or hopenet-literal',
    )
  }

  override attributeName(): string {
    return 'boxOrRule'
  }
}

/** The box that the call gives, null where it leaves that to the adapter; and the settings with the rule that it gives. */
export function boxOf(
  flags: Readonly<Record<string, unknown>>,
  settings: Settings,
): { box: Box | null; settings: Settings } {
  const given = flags['boxOrRule']
  if (typeof given !== 'string') return { box: null, settings }
  const rule = settingsSchema.shape.box.safeParse(given)
  if (rule.success) return { box: null, settings: { ...settings, box: rule.data } }
  const parts = given.split(',')
  const [x0, y0, x1, y1] = parts.map((part) => (/^\s*-?\d+(\.\d+)?\s*$/.test(part) ? Number(part) : NaN))
  if (parts.length === 4 && x0 !== undefined && y0 !== undefined && x1 !== undefined && y1 !== undefined) {
    if (x1 > x0 && y1 > y0) return { box: { x0, y0, x1, y1 }, settings }
  }
  const rules = 'hopenet or hopenet-literal'
  throw new InputError('bad-option', `--box takes ${placeholder} with X1 > X0 and Y1 > Y0, or ${rules}, not "${given}"`)
}
