import { InputError } from '../../base/errors.ts'
import { adapterDefinition, adapterFlags, adaptersWith, type AdapterOptions } from '../../dataset/adapters.ts'
import { flagName, settingFacts } from './optionFacts.ts'
import { settingNames, type SettingName, type Settings } from './optionSchema.ts'

/** Settings that only some adapters have a use for. */
type AdapterSetting = keyof typeof adapterFlags & SettingName
export const adapterSettingNames = settingNames.filter((name): name is AdapterSetting =>
  Object.hasOwn(adapterFlags, name),
)

/** How the settings say that a dataset is to be read. Raises InputError `bad-option` when they do not fit each other. */
export function adapterOptions(settings: Settings): AdapterOptions {
  for (const name of adapterSettingNames) {
    // What has a default is always there. What has none was given, and passed over it would give a result that looks
    // like what was asked for.
    if (settings[name] === undefined || settingFacts(name).default !== undefined) continue
    const owners = adaptersWith(name)
    if (owners.includes(settings.adapter)) continue
    throw new InputError(
      'bad-option',
      `--${flagName(name)} belongs to --adapter ${owners.join(' or ')}, not to ${settings.adapter}`,
    )
  }
  return adapterDefinition(settings.adapter).optionsOf(settings)
}
