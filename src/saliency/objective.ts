import { InputError } from '../base/errors.ts'
import { closest } from '../base/spelling.ts'
import { angleNames, type AngleName } from '../pose/euler.ts'
import type { OutputLayer } from './networks/family.ts'
import { anglesOf, type Head } from './networks/heads/kinds.ts'
import { ifAngles } from './networks/heads/suggested.ts'
import { isReady } from './networks/override.ts'

/**
 * The scalar that is differentiated. A leading minus takes the negative of any of them, as `-yaw` or `-yaw:bin:3`.
 *
 * - `sum`: yaw + pitch + roll, in degrees (the origin's). Once ReLUs are guided its gradient is not the sum of the three.
 * - `yaw`, `pitch`, `roll`: one angle, in degrees.
 * - `yaw:top`: the logit of the most likely bin; `yaw:bin:N`: the logit of bin N.
 * - `class:N`: output N of a network with one output that is no angle; `class:top`: the largest of them; `class:label`: the
 *   one of each image's own class, a one-hot target.
 * - `output:N`, `output:NAME:N`: number N of the only, or of the named output, as the network gives it.
 */
export type Objective = { readonly sign: 1 | -1 } & (
  | { readonly kind: 'sum' }
  | { readonly kind: 'angle'; readonly angle: AngleName }
  | { readonly kind: 'top'; readonly angle: AngleName }
  | { readonly kind: 'bin'; readonly angle: AngleName; readonly bin: number }
  | { readonly kind: 'class'; readonly index: number }
  | { readonly kind: 'topClass' }
  | { readonly kind: 'ownClass' }
  | { readonly kind: 'output'; readonly output: string | undefined; readonly index: number }
)

/** Names of outputs are held to what a folder and a column of SQL may be called by. */
const pattern =
  /^(?<minus>-)?(?:(?<plain>sum)|(?<angle>yaw|pitch|roll)(?<bins>:top|:bin:(?<bin>\d+))?|class:(?:(?<class>top|label)|(?<index>\d+))|output:(?:(?<output>[\w.][\w.-]*):)?(?<number>\d+))$/

export function parseObjective(name: string): Objective | undefined {
  const groups = pattern.exec(name)?.groups
  if (groups === undefined) return undefined
  const sign = groups.minus === undefined ? 1 : -1
  if (groups.plain !== undefined) return { sign, kind: 'sum' }
  if (groups.class !== undefined) return { sign, kind: groups.class === 'top' ? 'topClass' : 'ownClass' }
  if (groups.index !== undefined) return { sign, kind: 'class', index: Number(groups.index) }
  if (groups.number !== undefined) {
    return { sign, kind: 'output', output: groups.output, index: Number(groups.number) }
  }
  if (groups.bins === undefined) return { sign, kind: 'angle', angle: angle(groups.angle) }
  if (groups.bin === undefined) return { sign, kind: 'top', angle: angle(groups.angle) }
  return { sign, kind: 'bin', angle: angle(groups.angle), bin: Number(groups.bin) }
}

/** `each,-yaw` → `yaw, pitch, roll, -yaw`, and `-each` → `-yaw, -pitch, -roll`. Repeated names are kept once. Raises InputError `bad-option`. */
export function parseObjectives(text: string): string[] {
  const names = text.split(',').map((name) => withSpelledOutput(name.trim()))
  const expanded = names.flatMap((name) => {
    if (name === 'each') return angleNames
    return name === '-each' ? angleNames.map((one) => `-${one}`) : [name]
  })
  for (const name of expanded) {
    if (parseObjective(name) === undefined) {
      throw new InputError(
        'bad-option',
        `objective "${name}" is unknown: use sum, each, yaw, pitch, roll, yaw:top, yaw:bin:N, class:N, class:top, class:label, output:N or output:NAME:N, separated by commas; a minus before any takes its negative`,
      )
    }
  }
  return [...new Set(expanded)]
}

/**
 * How an output is written in an objective. Tensors of ONNX files have names such as `/fc/Gemm_output_0`, of which a folder
 * and a column of SQL cannot be called: what is not a letter, digit, `_`, `.` or `-` becomes `_`, and none stands first.
 */
function spelledOutput(output: string): string {
  return output.replace(/^[^\w.]+/, '').replace(/[^\w.-]+/g, '_')
}

/** `output:/fc/Gemm_output_0:3` → `output:fc_Gemm_output_0:3`. */
function withSpelledOutput(name: string): string {
  const [, start = '', output = '', end = ''] = /^(-?output:)(.+)(:\d+)$/.exec(name) ?? []
  return output === '' ? name : `${start}${spelledOutput(output)}${end}`
}

/** The output that an objective means, the first where it names none; undefined where none, or more than one, is written so. */
export function namedOutput(wanted: string | undefined, outputs: readonly string[]): string | undefined {
  if (wanted === undefined) return outputs[0]
  const [only, ...more] = outputs.filter((output) => spelledOutput(output) === wanted)
  return more.length === 0 ? only : undefined
}

/** Whether one of the objectives is of each image's own class, which a program then takes beside the image. */
export function readsClasses(objectives: readonly string[]): boolean {
  return objectives.some((name) => parseObjective(name)?.kind === 'ownClass')
}

/**
 * Whether records and table tell the likeliest class. Not with `class:N` alone, whose result sets earlier versions wrote
 * without it: what they hold would no longer be what a run writes.
 */
export function tellsTopClass(objectives: readonly string[]): boolean {
  return objectives.some((name) => ['topClass', 'ownClass'].includes(parseObjective(name)?.kind ?? ''))
}

/** What of a network decides which objectives it has; `Network` is such. */
interface Objected {
  readonly file: string
  readonly source?: string
  readonly description: { readonly heads: readonly Head[] }
  readonly recognised: { readonly outputs: readonly OutputLayer[] }
}

/** Whether a network has what `names` differentiate, without building it. Raises InputError `bad-option`. */
export function checkObjectives(names: readonly string[], network: Objected): void {
  for (const name of names) {
    const objective = parseObjective(name)
    if (objective === undefined) throw new InputError('bad-option', `objective "${name}" is unknown`)
    const lack = lackFor(objective, network)
    if (lack !== undefined) {
      throw new InputError('bad-option', `objective "${name}" cannot be computed with this network: it has ${lack}`)
    }
  }
}

/** The file in which people describe the network. */
function fileToWrite({ file, source }: Objected): string {
  if (!isReady(source)) return source ?? `${file}.yaml`
  return `${file}.yaml, without --description ${source}`
}

/** What the network has instead of what the objective needs. */
function lackFor(objective: Objective, network: Objected): string | undefined {
  const { heads } = network.description
  // Most of all for who meets this first: a pose network whose output has a name that tells nothing.
  const hint = heads.flatMap((head) =>
    head.kind === 'classes' ? (ifAngles({ output: head.output, outputs: head.classes }) ?? []) : [],
  )
  const instead = `; use ${either(namesFor(network))}${hint.map((one) => `; ${one} in ${fileToWrite(network)}`).join('')}`
  switch (objective.kind) {
    case 'sum':
      return heads.some((head) => anglesOf(head).length > 0) ? undefined : `no head that gives an angle${instead}`
    case 'angle':
      if (heads.some((head) => anglesOf(head).includes(objective.angle))) return undefined
      return `no ${objective.angle} head${instead}`
    case 'top':
    case 'bin': {
      const head = heads.find((candidate) => candidate.kind === 'binned' && candidate.angle === objective.angle)
      if (head?.kind !== 'binned') return `no binned ${objective.angle} head${instead}`
      return objective.kind === 'bin' ? fewerThan(objective.bin, head.bins, 'bins') : undefined
    }
    case 'class':
    case 'topClass':
    case 'ownClass': {
      const head = heads.find((candidate) => candidate.kind === 'classes')
      if (head?.kind !== 'classes') return `no output of classes${instead}`
      return objective.kind === 'class' ? fewerThan(objective.index, head.classes, 'classes') : undefined
    }
    case 'output': {
      const { outputs } = network.recognised
      const { output: wanted } = objective
      const known = outputs.map(({ output }) => spelledOutput(output))
      if (wanted === undefined && known.length > 1) {
        return `${known.length} outputs; name one, as output:${known[0]}:${objective.index} (the others are ${known.slice(1).join(', ')})`
      }
      const named = namedOutput(
        wanted,
        outputs.map(({ output }) => output),
      )
      const layer = outputs.find(({ output }) => output === named)
      if (layer !== undefined) return fewerThan(objective.index, layer.outputs, `numbers in ${layer.output}`)
      if (known.filter((name) => name === wanted).length > 1) {
        return `several outputs that are written ${wanted}: ${outputs.map(({ output }) => output).join(', ')}; list the one that you mean under heads`
      }
      const meant = closest(wanted ?? '', known)
      return `no output ${wanted}; ${meant === undefined ? `it has ${known.join(', ')}` : `did you mean "${meant}"?`}`
    }
  }
}

function fewerThan(index: number, count: number, what: string): string | undefined {
  return index < count ? undefined : `only ${count} ${what} (0 to ${count - 1})`
}

/** The objectives that a network has, for people. */
function namesFor({ description: { heads }, recognised: { outputs } }: Objected): string[] {
  const angles = angleNames.filter((name) => heads.some((head) => anglesOf(head).includes(name)))
  const binned = heads.flatMap((head) => (head.kind === 'binned' ? [head.angle] : []))
  return [
    ...(angles.length > 0 ? ['sum', ...angles] : []),
    ...binned.slice(0, 1).flatMap((name) => [`${name}:top`, `${name}:bin:N`]),
    ...(heads.some(({ kind }) => kind === 'classes') ? ['class:N', 'class:top', 'class:label'] : []),
    outputs.length > 1 ? `output:${spelledOutput(outputs[0]?.output ?? '')}:N` : 'output:N',
  ]
}

function either(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`
}

function angle(text: string | undefined): AngleName {
  const found = angleNames.find((candidate) => candidate === text)
  if (found === undefined) throw new Error(`${text} is no angle`)
  return found
}
