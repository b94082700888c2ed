import { Option, type Command } from 'commander'
import { InputError } from '../../base/errors.ts'
import { readLocalFile } from '../../base/localFile.ts'
import type { Surroundings } from '../surroundings.ts'
import { adapterSettingNames } from './adapterSettings.ts'
import type { ConfigEntry } from './configFile.ts'
import { flagName, noFlag, settingFacts, type SettingFacts } from './optionFacts.ts'
import { groupTitles, settingNames, type SettingName, type Settings } from './optionSchema.ts'

export type SettingWording = Partial<
  Record<
    SettingName,
    {
      readonly description?: string
      /** The command cannot do without it: it stands first, and no default is told. */
      readonly isNeeded?: true
      /** In place of `default: …`. */
      readonly note?: string
    }
  >
>

/** Settings that say how a dataset is read. */
export const readingSettings: readonly SettingName[] = [
  'adapter',
  ...adapterSettingNames,
  'exifOrientation',
  'maxPixels',
]

/** Settings of every command that computes result sets. */
export const computingSettings: readonly SettingName[] = [
  'dataset',
  'output',
  'network',
  'description',
  ...readingSettings,
  's3Endpoint',
  'outputS3Endpoint',
  'objective',
  'scope',
  'relu6',
  'style',
  'gradients',
  'logits',
  'engine',
  'batch',
  'shardSize',
  'full',
  'prune',
  'keepRuns',
  'report',
  'strict',
  'webhook',
  'redis',
]

/** For commands that compute a result set that none has prepared. */
export const needsData: SettingWording = {
  dataset: { isNeeded: true },
  output: { isNeeded: true },
  network: { isNeeded: true },
}

/** How commands name an output that is only looked at, or changed where it is. */
export const presentOutput = 'Where the result sets lie: s3://bucket/prefix/, file:///folder/ or a path.'

/** For commands that have no private server to fall back on. */
export const needsRedis: SettingWording = { redis: { isNeeded: true } }

/** Gives a command the flags of these settings, worded by the schema unless `wording` knows better, and `--config`. */
export function addSettings(command: Command, names: readonly SettingName[], wording: SettingWording = {}): Command {
  for (const name of inOrder(names, wording)) {
    const facts: Worded = { ...settingFacts(name), ...wording[name] }
    const flag = `--${flagName(name)}`
    if (facts.kind === 'boolean') {
      // The other one takes back what a config file says.
      const [shown, hidden] = facts.default === true ? [noFlag(name), flag] : [flag, noFlag(name)]
      command.addOption(new Option(shown, facts.description).helpGroup(heading(facts)))
      command.addOption(new Option(hidden).hideHelp().helpGroup(heading(facts)))
      continue
    }
    const placeholder = facts.placeholder ?? 'NAME'
    const option = new Option(`${flag} <${placeholder}>`, helpText(facts))
    option.argParser((value: string, previous: unknown) => {
      refuseFlagAsValue(flag, value)
      return facts.kind === 'list' && previous !== undefined ? [previous, value].flat() : value
    })
    command.addOption(option.helpGroup(heading(facts)))
  }
  const config = new Option('--config <FILE>', 'YAML or JSON file with any of these options (docs/configuration.md).')
  command.addOption(config.argParser((value: string) => refuseFlagAsValue('--config', value)))
  return command
}

type Worded = SettingFacts & SettingWording[SettingName]

/** As the documentation has them, so that groups stay together; what the command cannot do without, first. */
function inOrder(names: readonly SettingName[], wording: SettingWording): SettingName[] {
  const needed = names.filter((name) => wording[name]?.isNeeded)
  return [...needed, ...settingNames.filter((name) => names.includes(name) && !needed.includes(name))]
}

const heading = ({ group, isNeeded }: Worded): string => (isNeeded ? 'Needed:' : `${groupTitles[group] ?? group}:`)

function helpText(facts: Worded): string {
  const notes: string[] = []
  if (facts.choices) notes.push(facts.choices.join(' | '))
  if (facts.isNeeded) return withNotes(facts.description, notes)
  if (facts.note !== undefined) notes.push(facts.note)
  else if (facts.automatic) notes.push(`default: ${facts.automatic}`)
  else if (facts.default !== undefined) {
    notes.push(`default: ${String(facts.default)}${facts.unit === undefined ? '' : ` ${facts.unit}`}`)
  }
  return withNotes(facts.description, notes)
}

const withNotes = (description: string, notes: readonly string[]): string =>
  notes.length > 0 ? `${description} (${notes.join('; ')})` : description

/** `--dataset --output x` would otherwise take `--output` for the dataset and then complain about `x`. */
function refuseFlagAsValue(flag: string, value: string): string {
  if (value.startsWith('--')) throw new InputError('bad-option', `${flag} needs a value, but ${value} follows it`)
  return value
}

/** The settings of one call of a command, from all sources. */
export async function settingsOf(command: Command, surroundings: Surroundings): Promise<Settings> {
  const flags: Record<string, unknown> = command.opts()
  const given = flags['config'] ?? surroundings.environment['HEADLIGHT_CONFIG']
  const name = typeof given === 'string' && given !== '' ? given : undefined
  const file = name === undefined ? undefined : await readConfigFile(name)
  const { resolveSettings } = await import('./resolveSettings.ts')
  return resolveSettings({ file, environment: surroundings.environment, flags })
}

async function readConfigFile(name: string): Promise<ConfigEntry[]> {
  // Most calls have none, and loading the YAML package costs a twentieth of what starting the command does.
  const [{ parseConfigFile }, text] = await Promise.all([import('./configFile.ts'), readLocalFile(name, 'config file')])
  return parseConfigFile(name, text.toString('utf8'))
}

/** A setting that a command cannot do without. */
export function required(
  settings: Settings,
  name: 'dataset' | 'output' | 'network' | 'redis',
  command: string,
): string {
  const value = settings[name]
  if (value === undefined) {
    throw new InputError(
      'bad-option',
      `${command} needs --${flagName(name)} ${settingFacts(name).placeholder ?? ''}`.trim(),
    )
  }
  return value
}
