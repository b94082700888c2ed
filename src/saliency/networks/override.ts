import type { z } from 'zod'
import { InputError } from '../../base/errors.ts'
import { closest } from '../../base/spelling.ts'
import { descriptionFileSchema, overrideSchema, type DescriptionOverride } from './description.ts'

/** An override that is data already. InputError `bad-description` naming the path. */
export function checkOverride(override: unknown, file: string): DescriptionOverride {
  const { data, error } = overrideSchema.safeParse(override ?? {})
  if (data) return data
  throw new InputError('bad-description', `the description of ${file}: ${firstProblem(error).message}`)
}

/** What the description, which people find at `source`, says and the weights, or the description itself, contradict. */
export function badDescription(file: string, what: string, source = `${file}.yaml`): InputError {
  return new InputError('bad-description', `${file}: ${what} (in ${source})`)
}

/** The first thing that is wrong with an override. `key` is an unknown key below `path`. */
export function firstProblem(error: z.ZodError): { path: PropertyKey[]; key: string | undefined; message: string } {
  // Where a key is misspelt, the one that was meant is often missing as well.
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]
  if (!issue) return { path: [], key: undefined, message: error.message }
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const known = keysAt(issue.path)
    const meant = closest(key, known)
    const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean "${meant}"?`
    return { path: issue.path, key, message: `unknown key "${[...issue.path, key].join('.')}"; ${hint}` }
  }
  const where = issue.path.length > 0 ? issue.path.join('.') : 'the description'
  const reason = issue.message
    .replace(/^Invalid (?:input|option): /, '')
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase())
  return { path: issue.path, key: undefined, message: `${where} cannot be read: ${reason}` }
}

function keysAt(path: readonly PropertyKey[]): string[] {
  const { shape } = descriptionFileSchema
  if (path.length === 0) return Object.keys(shape)
  if (path[0] === 'input') return Object.keys(shape.input.unwrap().shape)
  if (path[0] === 'about') return Object.keys(shape.about.unwrap().shape)
  if (path[0] === 'fits') return Object.keys(shape.fits.unwrap().element.shape)
  if (path[0] === 'batchNorm') return Object.keys(shape.batchNorm.unwrap().shape)
  const head = shape.heads.unwrap().element.shape
  return Object.keys(path[2] === 'signs' ? head.signs.unwrap().unwrap().shape : head)
}
