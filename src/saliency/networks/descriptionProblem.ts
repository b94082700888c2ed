import type { z } from 'zod'
import { closest } from '../../base/spelling.ts'
import { descriptionFileSchema } from './description.ts'
import { headOverrideSchema, keysOf } from './heads/kinds.ts'

/** What is wrong with a description. `key` is an unknown key below `path`. */
interface DescriptionProblem {
  readonly path: PropertyKey[]
  readonly key: string | undefined
  readonly message: string
}

type Issue = z.core.$ZodIssue

/** The first thing that is wrong with `value`, which is to be a description. */
export function firstProblem(error: z.ZodError, value: unknown): DescriptionProblem {
  // Where a key is misspelt, the one that was meant is often missing as well.
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]
  if (!issue) return { path: [], key: undefined, message: error.message }
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    return { path, key, message: `unknown key "${[...path, key].join('.')}"; ${keyHint(key, path, value)}` }
  }
  const where = path.length > 0 ? path.join('.') : 'the description'
  return { path, key: undefined, message: valueProblem(where, issue, at(value, path)) }
}

/** What other tools and people call it; headlight's own word last. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  kind: ['type', 'decode', 'decoder'],
  output: ['layer', 'node', 'name', 'module'],
  epsilon: ['eps'],
  batchNorm: ['bn'],
  normalise: ['normalization', 'normalisation'],
  channels: ['color', 'colour', 'colorspace', 'colororder', 'mode'],
  filter: ['interpolation', 'library', 'backend'],
  width: ['size', 'inputsize', 'imagesize', 'imgsize', 'shape'],
  euler: ['axes', 'convention', 'sequence', 'rotationorder'],
  resizeTo: ['crop', 'centercrop', 'resizesize'],
  bins: ['numbins', 'nbins'],
  classes: ['numclasses', 'nclasses', 'nc'],
  unit: ['units'],
}

function keyHint(key: string, path: readonly PropertyKey[], value: unknown): string {
  const known = keysAt(path, value)
  const bare = key.toLowerCase().replace(/[-_ ]/g, '')
  const [own] = Object.entries(otherWords).find(([, words]) => words.includes(bare)) ?? []
  const meant = own !== undefined && known.includes(own) ? own : closest(key, known)
  if (meant === 'width' && own === meant) return 'did you mean "width" and "height"?'
  if (meant !== undefined) return `did you mean "${meant}"?`
  if (path.length === 0) {
    const section = sections.find((name) => keysAt([name], value).includes(own ?? key))
    if (section !== undefined) return `did you mean "${own ?? key}" below "${section}"?`
  }
  return `known are ${known.join(', ')}`
}

const sections = ['input', 'batchNorm']

/** The keys that may stand there: of a head those of its kind, where it gives one. */
function keysAt(path: readonly PropertyKey[], value: unknown): string[] {
  const { shape } = descriptionFileSchema
  if (path.length === 0) return Object.keys(shape)
  if (path[0] === 'input') return Object.keys(shape.input.unwrap().shape)
  if (path[0] === 'about') return Object.keys(shape.about.unwrap().shape)
  if (path[0] === 'fits') return Object.keys(shape.fits.unwrap().element.shape)
  if (path[0] === 'batchNorm') return Object.keys(shape.batchNorm.unwrap().shape)
  const head = headOverrideSchema.shape
  if (path[2] === 'signs') return Object.keys(head.signs.unwrap().unwrap().shape)
  const kind = head.kind.safeParse(at(value, [...path, 'kind'])).data
  return kind === undefined ? Object.keys(head) : ['kind', 'output', ...keysOf(kind)]
}

function valueProblem(where: string, issue: Issue, found: unknown): string {
  if (issue.code === 'invalid_value' && typeof found === 'string') {
    if (where.endsWith('.order') && /^[xyz]{3}$/i.test(found)) {
      return `${where} is "${found}", but order says where the real part of a quaternion stands (wxyz or xyzw); the order of a rotation's angles is euler: zyx or xyz`
    }
    const allowed = issue.values.map(String)
    const meant = closest(found, allowed)
    if (meant !== undefined) return `${where} is "${found}"; did you mean "${meant}"?`
    return `${where} cannot be read: expected one of ${allowed.join(', ')}, and this is ${kindOfValue(found)}`
  }
  if (issue.code === 'invalid_type' && found !== undefined) {
    const advice = where === 'heads' && kindOfValue(found) === 'a mapping' ? headsAdvice : ''
    const wanted = wantedWords[issue.expected] ?? issue.expected
    return `${where} cannot be read: expected ${wanted}, and this is ${kindOfValue(found)}${advice}`
  }
  const reason = issue.message
    .replace(/^Invalid (?:input|option): /, '')
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase())
  return `${where} cannot be read: ${reason}`
}

const headsAdvice = '; begin each head with a dash, as in "- output: fc_yaw"'

const wantedWords: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a mapping (key: value)',
  string: 'text',
  number: 'a finite number',
  int: 'a whole number',
  boolean: 'true or false',
}

function kindOfValue(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  // A file that is no description at all is one long text to YAML.
  return typeof value === 'string' && value.length <= 40 ? `"${value}"` : 'text'
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value
  for (const key of path) found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined
  return found
}
