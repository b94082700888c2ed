import { InputError } from '../../base/errors.ts'
import { adapterDefinition, adapterFlags, adaptersWith, type AdapterOptions } from '../../dataset/adapters.ts'
import { flagName, settingFacts } from './optionFacts.ts'
import { settingNames, type SettingName, type Settings } from './optionSchema.ts'

/** Settings that only some adapters have a use for. */
type AdapterSetting = keyof typeof adapterFlags & SettingName
export const adapterSettingNames = settingNames.filter((name): name is AdapterSetting =>
  Object.hasOwn(adapterFlags, name),
)

/**
 * How the settings say that a dataset is to be read. Raises InputError `bad-option` when they do not fit each other: what
 * was given and is passed over would give a result that looks like what was asked for.
 */
export function adapterOptions(settings: Settings): AdapterOptions {
  for (const name of adapterSettingNames) {
    // What has a default is always there; who gives the default asks for nothing.
    if (settings[name] === undefined || settings[name] === settingFacts(name).default) continue
    const owners = adaptersWith(name)
    if (owners.includes(settings.adapter)) continue
    throw new InputError(
      'bad-option',
      `--${flagName(name)} belongs to --adapter ${owners.join(' or ')}, not to ${settings.adapter}`,
    )
  }
  return adapterDefinition(settings.adapter).optionsOf(settings)
}

/**
 * What to say of `--filename-angles` beside the adapter images: that one reads no names, but its result sets have always
 * been called by them as well, so that to refuse it would leave some of these behind.
 */
export function idleSetting({ adapter, filenameAngles }: Settings): string | undefined {
  if (adapter !== 'images' || filenameAngles === settingFacts('filenameAngles').default) return undefined
  return '--filename-angles reads no labels with --adapter images; --adapter filename does'
}
