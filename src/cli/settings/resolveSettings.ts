import type { z } from 'zod'
import { InputError } from '../../base/errors.ts'
import { encodeCredentials, hasLooseCredentials } from '../../base/looseCredentials.ts'
import { closest } from '../../base/spelling.ts'
import { withoutPassword } from '../../base/telemetry.ts'
import type { ConfigEntry } from './configFile.ts'
import { environmentName, flagName, settingFacts } from './optionFacts.ts'
import { settingNames, settingsSchema, type SettingName, type Settings } from './optionSchema.ts'

export interface SettingSources {
  /** Of the file of `--config`, when there is one. */
  readonly file?: readonly ConfigEntry[] | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By setting name; text, true/false, or a list of texts for a flag given several times. Absent flags are undefined. */
  readonly flags: Readonly<Record<string, unknown>>
}

/** Defaults ← config file ← environment ← flags. Raises InputError `bad-option` that names the source of a bad value. */
export function resolveSettings(sources: SettingSources): Settings {
  refuseMisspeltVariables(sources.environment)
  const merged: Record<string, unknown> = {}
  for (const entry of sources.file ?? []) {
    const name = settingNames.find((known) => known === entry.key)
    if (name === undefined) {
      throw new InputError('bad-option', `${entry.where}: unknown option "${entry.key}"${suggestKey(entry.key)}`)
    }
    merged[name] = checked(name, entry.value, `${entry.where}: ${name}`)
  }
  for (const name of settingNames) {
    const variable = environmentName(name)
    const text = sources.environment[variable]
    // An empty variable is how shells and containers say "not set".
    if (text !== undefined && text !== '' && !ofAServiceNamedLikeUs(variable, text))
      merged[name] = checked(name, fromText(name, text), variable)
  }
  for (const name of settingNames) {
    const given = sources.flags[name]
    if (given === undefined) continue
    merged[name] = checked(name, typeof given === 'string' ? fromText(name, given) : given, `--${flagName(name)}`)
  }
  return settingsSchema.parse(merged)
}

function suggestKey(key: string): string {
  const suggestion = closest(key, settingNames)
  return suggestion ? `; did you mean "${suggestion}"?` : '; docs/configuration.md lists all options'
}

/**
 * A variable that is nearly one of ours is refused: passed over, it would give a result that looks like what was asked
 * for. Others are nobody's fault: Kubernetes puts HEADLIGHT_REDIS_PORT and the like into every container once a service
 * is called headlight-redis.
 */
function refuseMisspeltVariables(environment: SettingSources['environment']): void {
  const names = [...settingNames, 'config', 'webhookSecret']
  const known = names.map(environmentName)
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith('HEADLIGHT_') || known.includes(variable) || ofAService.test(variable)) continue
    const meant = closest(variable.slice('HEADLIGHT_'.length), names)
    if (meant === undefined) continue
    throw new InputError(
      'bad-option',
      `the environment variable ${variable} means nothing; did you mean ${environmentName(meant)}?`,
    )
  }
}

/** A service called headlight gives every container of its namespace HEADLIGHT_PORT=tcp://10.0.0.1:80, which is no port. */
function ofAServiceNamedLikeUs(variable: string, text: string): boolean {
  return variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text)
}

const ofAService = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_\w+)?)$/

function fromText(name: SettingName, text: string): unknown {
  const { kind } = settingFacts(name)
  // Number('') is 0 and Number(' 1') is 1: only text that looks like a number becomes one, the rest is refused below.
  if ((kind === 'integer' || kind === 'number') && /^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (kind === 'boolean') {
    if (/^(true|1|yes|on)$/i.test(text)) return true
    if (/^(false|0|no|off)$/i.test(text)) return false
  }
  return text
}

function checked(name: SettingName, value: unknown, where: string): unknown {
  const result = settingsSchema.shape[name].safeParse(value)
  if (result.success) return value
  const wanted = `${where} ${mustBe(name, result.error, value)}`
  if (mayHoldPassword(name, value)) throw new InputError('bad-option', `${wanted}; ${encodeCredentials}`)
  throw new InputError('bad-option', `${wanted}, not ${shown(value)}`)
}

/** Whether it is not clear which part of a URL is the password, so that nothing of it may be shown. */
function mayHoldPassword(name: SettingName, value: unknown): boolean {
  if (settingFacts(name).placeholder !== 'URL' || typeof value !== 'string' || !value.includes('@')) return false
  return hasLooseCredentials(value) || !URL.canParse(value) || !value.includes('://')
}

function shown(value: unknown): string {
  // Masked before it is cut: half a password is one too many.
  const text = withoutPassword(JSON.stringify(value) ?? 'nothing')
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function mustBe(name: SettingName, error: z.ZodError, value: unknown): string {
  const facts = settingFacts(name)
  switch (facts.kind) {
    case 'choice': {
      const meant = typeof value === 'string' ? closest(value, facts.choices ?? []) : undefined
      return `must be one of ${(facts.choices ?? []).join(' | ')}${meant ? ` (did you mean ${meant}?)` : ''}`
    }
    case 'integer':
    case 'number': {
      const noun = facts.kind === 'integer' ? 'a whole number' : 'a number'
      const bounds =
        facts.maximum === undefined ? `of at least ${facts.minimum}` : `from ${facts.minimum} to ${facts.maximum}`
      return `must be ${noun} ${bounds}${facts.unit ? ` (${facts.unit})` : ''}`
    }
    case 'boolean':
      return 'must be true or false'
    case 'list':
      return 'must be a text or a list of texts'
    case 'text':
      if (error.issues.some((issue) => issue.code === 'invalid_format' && issue.format === 'regex'))
        return `must be written as ${facts.placeholder}`
      if (error.issues.some((issue) => issue.code === 'custom')) return 'must be a URL without an @ behind its host'
      return error.issues.some((issue) => issue.code === 'invalid_format')
        ? 'must be a URL that begins with http:// or https://'
        : 'must be a text that is not empty'
  }
}
