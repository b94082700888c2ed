import { InputError } from '../../base/errors.ts'
import { overrideSchema, type DescriptionOverride } from './description.ts'
import { firstProblem } from './descriptionProblem.ts'

/** An override that is data already. InputError `bad-description` naming the path. */
export function checkOverride(override: unknown, file: string): DescriptionOverride {
  const { data, error } = overrideSchema.safeParse(override ?? {})
  if (data) return data
  throw new InputError('bad-description', `the description of ${file}: ${firstProblem(error, override).message}`)
}

/** Whether it is a name of headlight's own gallery: a file has a dot or a slash in its. */
export function isReady(source: string | undefined): source is string {
  return source !== undefined && !/[/\\.]/.test(source)
}

/** What the description, which people find at `source`, says and the weights, or the description itself, contradict. */
export function badDescription(file: string, what: string, source = `${file}.yaml`): InputError {
  return new InputError('bad-description', `${file}: ${what} (in ${source})`)
}
