import { countActivations, guidanceText, type ActivationCount, type Guidance } from '../guidance.ts'
import type { Description } from './description.ts'
import type { Architecture, OutputLayer } from './family.ts'
import { outputText, type Mark } from './heads/head.ts'
import { anglesOf, kindOf, type Head } from './heads/kinds.ts'
import { channelsText, resizeText } from './inputText.ts'
import type { Network } from './network.ts'
import type { Provenance } from './provenance.ts'
import type { NetworkFacts } from './unresolvedNetwork.ts'

/** What `network inspect --json` prints. */
export interface Inspection {
  readonly file: string
  /** SHA-256, hex. */
  readonly digest: string
  /** The second file of an ONNX network, where it has one. */
  readonly externalData?: NonNullable<Network['externalData']>
  readonly format: string
  readonly storedTypes: readonly string[]
  /** With what its family adds. */
  readonly architecture: Architecture
  /** Between image and outputs, by kind, and how many are guided by default (scope all). */
  readonly activations: readonly ActivationCount[]
  /** Learned numbers; running means and variances are not counted, as in PyTorch. */
  readonly parameters: number
  /** Every linear layer on the features, in the file's order, whether the description uses it or not. */
  readonly outputs: readonly OutputLayer[]
  readonly description: Description
  /** By path into the description. */
  readonly provenance: Readonly<Record<string, Provenance>>
  readonly notes: readonly string[]
}

/** All that headlight takes a checkpoint for, as plain data. */
export function inspectNetwork(network: Network): Inspection {
  const { file, digest, externalData, format, storedTypes, recognised, description, provenance, notes } = network
  return {
    file,
    digest,
    ...(externalData && { externalData }),
    format,
    storedTypes,
    architecture: recognised.architecture,
    activations: countActivations(network, byDefault),
    parameters: parameterCount(network),
    outputs: recognised.outputs,
    description,
    provenance,
    notes,
  }
}

/**
 * The same for people: fields that nothing in the file tells are marked as defaults. `memory` says what units take. Ends
 * with a newline.
 */
export function renderInspection(network: Network, memory: readonly string[] = []): string {
  const inspection = inspectNetwork(network)
  const { architecture, description, provenance } = inspection
  const { input, heads } = description
  const described = network.source ?? `${inspection.file}.yaml or options`
  const source = (path: string): string => {
    const from = provenance[path]
    return from === 'default' ? 'default' : from === 'given' ? `from ${described}` : ''
  }
  const mark = (path: string, text: string): string => (source(path) === '' ? text : `${text}  (${source(path)})`)
  const sections: Section[] = [
    {
      title: inspection.file,
      rows: [
        ['format', `${inspection.format}, ${inspection.storedTypes.join(' and ')}`],
        ['SHA-256', inspection.digest],
        ...secondFileRows(inspection.externalData),
        ['architecture', architecture.name],
        ...network.recognised.facts,
        ['activations', activationsText(inspection.activations)],
        ['parameters', inspection.parameters.toLocaleString('en-US')],
        ...memory.map((line, index) => [index === 0 ? 'memory' : '', line] as const),
      ],
    },
    {
      title: 'input',
      rows: [
        ['width', mark('input.width', String(input.width))],
        ['height', mark('input.height', String(input.height))],
        ['resize', mark('input.resize', resizeText(input))],
        ...(input.filter === undefined ? [] : [['filter', mark('input.filter', "OpenCV's bilinear")] as const]),
        ['channels', mark('input.channels', channelsText(input))],
        ...(input.normalise === undefined ? [] : [['normalise', mark('input.normalise', minMaxText)] as const]),
        ['range', mark('input.range', `0 to ${input.range}`)],
        ['mean', mark('input.mean', input.mean.join(', '))],
        ['std', mark('input.std', input.std.join(', '))],
      ],
    },
  ]
  if (description.batchNorm !== undefined) {
    const { epsilon, projectionEpsilon } = description.batchNorm
    const rows: [string, string][] = [['epsilon', mark('batchNorm.epsilon', String(epsilon))]]
    if (projectionEpsilon !== undefined) {
      rows.push(['projections', mark('batchNorm.projectionEpsilon', String(projectionEpsilon))])
    }
    sections.push({ title: 'batch norm', rows })
  }
  for (const [index, head] of heads.entries()) {
    const layer = inspection.outputs.find(({ output }) => output === head.output)
    sections.push(headSection(head, layer, (key, text) => mark(`heads.${index}.${key}`, text)))
  }
  const text = sections.map(renderSection).join('\n')
  const notes = inspection.notes.map((note) => `note: ${note}\n`)
  const defaults = Object.values(provenance).includes('default')
    ? [`Defaults are assumptions, since the file does not say: correct what is wrong in ${inspection.file}.yaml.\n`]
    : []
  return [text, ...(notes.length > 0 ? [notes.join('')] : []), ...defaults].join('\n')
}

/** The same of a file that no network could be made of. Ends with a newline. */
export function renderNetworkFacts({ file, architecture, facts }: NetworkFacts): string {
  return renderSection({ title: file, rows: [['architecture', architecture.name], ...facts] })
}

function secondFileRows(externalData: Inspection['externalData']): readonly (readonly [string, string])[] {
  if (externalData === undefined) return []
  return [
    ['its weights', externalData.file],
    ['their SHA-256', externalData.digest],
  ]
}

const minMaxText = 'the darkest number of each picture to 0, the brightest to the end of the range'

const byDefault: Guidance = { scope: 'all' }

function activationsText(counts: readonly ActivationCount[]): string {
  const text = guidanceText(counts, byDefault)
  if (counts.some(({ guided }) => guided > 0)) return text
  return `none that can be guided, so maps need --scope none${counts.length === 0 ? '' : `; ${text}`}`
}

interface Section {
  readonly title: string
  readonly rows: readonly (readonly [name: string, text: string])[]
}

function renderSection({ title, rows }: Section): string {
  return [title, ...rows.map(([name, text]) => `  ${name.padEnd(13)} ${text}`)].map((line) => `${line}\n`).join('')
}

/** `layer`: the output that the head reads, all of it or some of its numbers. */
function headSection(head: Head, layer: OutputLayer | undefined, mark: Mark): Section {
  const angles = anglesOf(head)
  const [angle] = angles
  const kind = kindOf(head.kind)
  const rows = kind.rows(head, mark)
  if (angle === undefined) return { title: 'output', rows: [['output', head.output], ...rows] }
  const { start, count } = kind.columns(head)
  const read = outputText(head.output, count === layer?.outputs ? undefined : start, count)
  const gives = `${read} gives ${angles.join(', ')}`
  return {
    title: angles.join(', '),
    rows: [['output', angles.length > 1 ? mark('kind', gives) : mark('angle', gives)], ...rows],
  }
}

function parameterCount({ weights, recognised }: Network): number {
  let count = 0
  for (const name of recognised.used) {
    if (!/\.running_(?:mean|var)$/.test(name)) count += weights.get(name)?.data.length ?? 0
  }
  return count
}
