import { z } from 'zod'
import type { AngleName } from '../pose/euler.ts'
import type { Adapter } from './adapter.ts'
import type { CommonSettings } from './adapterDefinition.ts'
import { aflw2000 } from './aflw2000.ts'
import { biwi } from './biwi.ts'
import { csv } from './csv.ts'
import { filename } from './filename.ts'
import { images } from './images.ts'
import { signsText, withSigns } from './labelSigns.ts'

/** Every layout that `--adapter` names. A new one is its own file and a place in this list. */
const definitions = [images, filename, biwi, aflw2000, csv] as const

type Definitions = typeof definitions
type OptionSchemas<List extends readonly unknown[]> = {
  [Index in keyof List]: List[Index] extends { readonly options: infer Options } ? Options : never
}
type Intersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never
type AdapterFlags = Intersection<Definitions[number]['flags']>

// The casts say what the list shows: `map` and `assign` forget which element is which. If one were wrong, the settings'
// schema would offer a flag, or `set.json` an option, that has another type than its adapter is given.

/** The adapters' own settings, by name, for the settings' schema. */
export const adapterFlags = Object.assign({}, ...definitions.map(({ flags }) => flags)) as AdapterFlags

/** How the dataset is read, as `set.json` holds it: different options here give different records. */
export const adapterOptionsSchema = z.discriminatedUnion(
  'name',
  definitions.map(({ options }) => options) as unknown as OptionSchemas<Definitions>,
)
export type AdapterOptions = z.output<typeof adapterOptionsSchema>
type AdapterName = AdapterOptions['name']

/** The flag `--adapter`. */
export const adapterFlag = z
  .enum(definitions.map(({ name }) => name as AdapterName))
  .default('images')
  .meta({
    group: 'data',
    description: `How the dataset is read: ${definitions.map(({ name, summary }) => `${name} ${summary}`).join('; ')}.`,
  })

/** Settings as the schema gives them, with at least those of all adapters. */
type AdapterSettings = z.output<z.ZodObject<AdapterFlags>> & CommonSettings

/** A definition as it is used: with the options and settings that are its own. */
interface AnyDefinition {
  readonly name: string
  readonly flags: object
  readonly withoutPoses?: string
  optionsOf(settings: AdapterSettings): AdapterOptions
  open(options: AdapterOptions): Adapter
  describe(options: AdapterOptions): string[]
  flagForOrder?(options: AdapterOptions, order: readonly AngleName[]): string | null
}

const byName = new Map<string, AnyDefinition>(definitions.map((definition) => [definition.name, definition]))

/** All that is known of the adapter of this name. */
export function adapterDefinition(name: AdapterName): AnyDefinition {
  const definition = byName.get(name)
  if (definition === undefined) throw new Error(`no adapter is called ${name}`)
  return definition
}

/** The adapter that reads a dataset so. */
export function openAdapter(options: AdapterOptions): Adapter {
  const adapter = adapterDefinition(options.name).open(options)
  return 'labelSigns' in options ? withSigns(adapter, options.labelSigns) : adapter
}

/** The adapters that take a setting, by its name. */
export function adaptersWith(flag: keyof AdapterFlags): string[] {
  return definitions.flatMap(({ name, flags }) => (Object.hasOwn(flags, flag) ? [name] : []))
}

/** How a dataset was read, for people: errors of two runs compare only where boxes, margin and label frame are the same. */
export function describeAdapter(options: AdapterOptions): string {
  const facts = adapterDefinition(options.name).describe(options)
  if ('labelSigns' in options) facts.push(...signsText(options.labelSigns))
  if (options.applyExifOrientation) facts.push('turned as EXIF says')
  return facts.length > 0 ? `${options.name} (${facts.join(', ')})` : options.name
}
