import { z } from 'zod'
import type { AngleName } from '../pose/euler.ts'
import type { Adapter } from './adapter.ts'

/**
 * All that headlight knows of one layout of datasets, in the layout's own file: its flags, what of them stands in a
 * result set, and how it is read. `adapters.ts` lists them.
 *
 * @typeParam Options what `set.json` holds: everything that changes a record, `name` included
 * @typeParam Flags the settings that are this adapter's own, as the settings' schema takes them
 */
export interface AdapterDefinition<Options extends z.ZodObject, Flags extends z.core.$ZodShape> {
  /** As in `--adapter NAME`. */
  readonly name: string
  /** Goes on after the name in what `--help` says of `--adapter`. */
  readonly summary: string
  readonly flags: Flags
  /**
   * A field that comes later is optional, and absent at its default: a result set's id is a digest of these, and a field
   * of null would give every older set another one.
   */
  readonly options: Options
  /** What the flags ask for. Raises InputError `bad-option` when they do not fit each other. */
  optionsOf(settings: NoInfer<z.output<z.ZodObject<Flags>>> & CommonSettings): NoInfer<z.output<Options>>
  open(options: NoInfer<z.output<Options>>): Adapter
  /** What of the options makes two runs comparable, for people: `margin 0.1`. */
  describe(options: NoInfer<z.output<Options>>): string[]
  /** The flag that reads the three angles in another order; null where there is none, or it would change nothing. */
  flagForOrder?(options: NoInfer<z.output<Options>>, order: readonly AngleName[]): string | null
  /** What to tell somebody whose samples have no pose at all, where the layout says that they should. */
  readonly withoutPoses?: string
}

/** An option of every adapter: whether EXIF orientation is applied before anything else. The origin ignores it. */
export const applyExifOrientation = z.boolean()

/** Settings that every adapter takes. */
export interface CommonSettings {
  readonly exifOrientation: boolean
}

/** Says what a definition is made of, so that its parts are typed by each other. */
export function defineAdapter<Options extends z.ZodObject, Flags extends z.core.$ZodShape>(
  definition: AdapterDefinition<Options, Flags>,
): AdapterDefinition<Options, Flags> {
  return definition
}
