import { z } from 'zod'
import { settingsSchema, type SettingName } from './optionSchema.ts'

/** What the schema says about one setting, as data. */
export interface SettingFacts {
  readonly kind: 'text' | 'choice' | 'integer' | 'number' | 'boolean' | 'list'
  readonly group: string
  readonly description: string
  readonly placeholder: string | undefined
  readonly unit: string | undefined
  readonly automatic: string | undefined
  readonly choices: readonly string[] | undefined
  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly default: string | number | boolean | undefined
}

const factsSchema = z.object({
  type: z.enum(['string', 'integer', 'number', 'boolean']).optional(),
  anyOf: z.array(z.unknown()).optional(),
  enum: z.array(z.string()).optional(),
  group: z.string(),
  description: z.string(),
  placeholder: z.string().optional(),
  unit: z.string().optional(),
  automatic: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
})

const known = new Map<SettingName, SettingFacts>()

/** Read from the schema's own JSON Schema, so that nothing is written twice. */
export function settingFacts(name: SettingName): SettingFacts {
  const facts = known.get(name) ?? readFacts(name)
  known.set(name, facts)
  return facts
}

function readFacts(name: SettingName): SettingFacts {
  const facts = factsSchema.parse(z.toJSONSchema(settingsSchema.shape[name], { io: 'input' }))
  return {
    kind: facts.anyOf ? 'list' : facts.enum ? 'choice' : facts.type === 'string' ? 'text' : (facts.type ?? 'text'),
    group: facts.group,
    description: facts.description,
    placeholder: facts.placeholder,
    unit: facts.unit,
    automatic: facts.automatic,
    choices: facts.enum,
    minimum: facts.minimum,
    maximum: facts.maximum === Number.MAX_SAFE_INTEGER ? undefined : facts.maximum,
    default: facts.default,
  }
}

/** `shardSize` → `shard-size`, to be written after `--`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** `exifOrientation` → `--no-exif-orientation`. */
export function noFlag(name: string): string {
  return `--no-${flagName(name)}`
}

/** `shardSize` → `HEADLIGHT_SHARD_SIZE`. */
export function environmentName(name: string): string {
  return `HEADLIGHT_${flagName(name).replaceAll('-', '_').toUpperCase()}`
}
