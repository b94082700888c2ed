import { InputError } from '../base/errors.ts'
import { angleNames, type AngleName } from '../pose/euler.ts'
import type { HeadNodes } from './decode.ts'
import type { Node } from './graph.ts'
import { anglesOf, type Head } from './networks/heads/kinds.ts'
import { constant, make, scalar } from './ops.ts'

/**
 * The scalar that is differentiated. A leading minus takes the negative of any of them, as `-yaw` or `-yaw:bin:3`.
 *
 * - `sum`: yaw + pitch + roll, in degrees (the origin's). Once ReLUs are guided its gradient is not the sum of the three.
 * - `yaw`, `pitch`, `roll`: one angle, in degrees.
 * - `yaw:top`: the logit of the most likely bin; `yaw:bin:N`: the logit of bin N.
 * - `class:N`: output N of a network with one output that is no angle.
 */
type Objective = { readonly sign: 1 | -1 } & (
  | { readonly kind: 'sum' }
  | { readonly kind: 'angle'; readonly angle: AngleName }
  | { readonly kind: 'top'; readonly angle: AngleName }
  | { readonly kind: 'bin'; readonly angle: AngleName; readonly bin: number }
  | { readonly kind: 'class'; readonly index: number }
)

const pattern =
  /^(?<minus>-)?(?:(?<plain>sum)|(?<angle>yaw|pitch|roll)(?<bins>:top|:bin:(?<bin>\d+))?|class:(?<index>\d+))$/

function parseObjective(name: string): Objective | undefined {
  const groups = pattern.exec(name)?.groups
  if (groups === undefined) return undefined
  const sign = groups.minus === undefined ? 1 : -1
  if (groups.plain !== undefined) return { sign, kind: 'sum' }
  if (groups.index !== undefined) return { sign, kind: 'class', index: Number(groups.index) }
  if (groups.bins === undefined) return { sign, kind: 'angle', angle: angle(groups.angle) }
  if (groups.bin === undefined) return { sign, kind: 'top', angle: angle(groups.angle) }
  return { sign, kind: 'bin', angle: angle(groups.angle), bin: Number(groups.bin) }
}

/** `each,-yaw` → `yaw, pitch, roll, -yaw`, and `-each` → `-yaw, -pitch, -roll`. Repeated names are kept once. Raises InputError `bad-option`. */
export function parseObjectives(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  const expanded = names.flatMap((name) => {
    if (name === 'each') return angleNames
    return name === '-each' ? angleNames.map((one) => `-${one}`) : [name]
  })
  for (const name of expanded) {
    if (parseObjective(name) === undefined) {
      throw new InputError(
        'bad-option',
        `objective "${name}" is unknown: use sum, each, yaw, pitch, roll, yaw:top, yaw:bin:N or class:N, separated by commas; a minus before any takes its negative`,
      )
    }
  }
  return [...new Set(expanded)]
}

/** Whether one of the objectives is of each image's own class, which a program then takes beside the image. */
export function readsClasses(objectives: readonly string[]): boolean {
  return objectives.some((name) => /^-?class:label$/.test(name))
}

/** Whether a network with these heads has what `names` differentiate, without building it. Raises InputError `bad-option`. */
export function checkObjectives(names: readonly string[], heads: readonly Head[]): void {
  for (const name of names) {
    const objective = parseObjective(name)
    switch (objective?.kind) {
      case undefined:
        throw new InputError('bad-option', `objective "${name}" is unknown`)
      case 'sum':
        if (!heads.some((head) => head.kind !== 'classes'))
          throw missing(name, 'no head that gives an angle; use class:N')
        break
      case 'angle':
        if (!heads.some((head) => anglesOf(head).includes(objective.angle))) {
          throw missing(name, `no ${objective.angle} head`)
        }
        break
      case 'top':
      case 'bin': {
        const head = heads.find((candidate) => candidate.kind === 'binned' && candidate.angle === objective.angle)
        if (head?.kind !== 'binned') throw missing(name, `no binned ${objective.angle} head`)
        if (objective.kind === 'bin' && objective.bin >= head.bins) throw tooFew(name, head.bins, 'bins')
        break
      }
      case 'class': {
        const head = heads.find((candidate) => candidate.kind === 'classes')
        if (head?.kind !== 'classes') throw missing(name, 'no output of classes')
        if (objective.index >= head.classes) throw tooFew(name, head.classes, 'classes')
        break
      }
    }
  }
}

/** The N×1 node that `name` differentiates. Raises InputError `bad-option` when the network has no such output. */
export function objectiveNode(name: string, heads: HeadNodes): Node {
  const objective = parseObjective(name)
  if (objective === undefined) throw new InputError('bad-option', `objective "${name}" is unknown`)
  const node = positiveNode(name, objective, heads)
  return objective.sign === 1 ? node : make('mul', [node, scalar(-1)])
}

function positiveNode(name: string, objective: Objective, heads: HeadNodes): Node {
  switch (objective.kind) {
    case 'sum': {
      const [one, ...more] = heads.angles.values()
      if (one === undefined) throw missing(name, 'no head that gives an angle; use class:N')
      return more.length === 0 ? one : make('sum', [one, ...more])
    }
    case 'angle': {
      const node = heads.angles.get(objective.angle)
      if (node === undefined) throw missing(name, `no ${objective.angle} head`)
      return node
    }
    case 'top': {
      const logits = binned(name, objective.angle, heads)
      const picked = make('mul', [logits, make('oneHotArgmax', [logits])])
      return make('reduceSum', [picked], { axes: [1] })
    }
    case 'bin':
      return column(name, binned(name, objective.angle, heads), objective.bin, 'bins')
    case 'class': {
      if (heads.classes === undefined) throw missing(name, 'no output of classes')
      return column(name, heads.classes, objective.index, 'classes')
    }
  }
}

function binned(name: string, angleName: AngleName, heads: HeadNodes): Node {
  const logits = heads.logits.get(angleName)
  if (logits === undefined) throw missing(name, `no binned ${angleName} head`)
  return logits
}

function column(name: string, values: Node, index: number, what: string): Node {
  const count = values.shape[1] ?? 0
  if (index >= count) throw tooFew(name, count, what)
  const oneHot = new Float32Array(count)
  oneHot[index] = 1
  return make('matmul', [values, constant(oneHot, [count, 1])], { transposeB: false })
}

function tooFew(name: string, count: number, what: string): InputError {
  return missing(name, `only ${count} ${what} (0 to ${count - 1})`)
}

function missing(name: string, what: string): InputError {
  return new InputError('bad-option', `objective "${name}" cannot be computed with this network: it has ${what}`)
}

function angle(text: string | undefined): AngleName {
  const found = angleNames.find((candidate) => candidate === text)
  if (found === undefined) throw new Error(`${text} is no angle`)
  return found
}
