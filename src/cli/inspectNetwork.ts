import type { Network } from '../saliency/networks/network.ts'
import type { Call } from './command.ts'
import { readNetworkFile } from './networkFile.ts'
import { number } from './progressLine.ts'

/** Prints what a checkpoint holds and the description that headlight would use, defaults marked as such. */
export async function inspectNetwork({ operands, settings, surroundings }: Call): Promise<number> {
  const [path = ''] = operands
  const { network, overrideFile } = await readNetworkFile(path)
  const { file, digest, format, storedTypes, shape, description, provenance, notes } = network
  const facts = { file, digest, format, storedTypes, parameters: parameters(network), shape, description, provenance }
  surroundings.results.write(
    settings.json ? `${JSON.stringify({ ...facts, overrideFile, notes })}\n` : networkText(network, overrideFile),
  )
  return 0
}

function parameters({ weights }: Network): number {
  let count = 0
  for (const { data } of weights.values()) count += data.length
  return count
}

/** For people; also shows how a `<file>.yaml` names what it overrides. */
function networkText(network: Network, overrideFile: string | null): string {
  const { shape, description, provenance } = network
  const rows: [string, string][] = [
    ['file', network.file],
    ['format', `${network.format}, ${network.storedTypes.join(' and ')}`],
    ['sha-256', network.digest],
    [
      'layers',
      `DenseNet: growth ${shape.growth}, blocks ${shape.blocks.join('-')}, ${shape.initFeatures} features first`,
    ],
    ['parameters', number(parameters(network))],
  ]
  let text = rows.map(([name, value]) => `${name.padEnd(11)} ${value}\n`).join('')
  const origin = overrideFile === null ? '' : `, parts of it from ${overrideFile}`
  text += `\ndescription${origin}\n`
  const lines: [string, string, string][] = Object.entries(description.input).map(([key, value]) => [
    `input.${key}`,
    Array.isArray(value) ? value.join(', ') : String(value),
    provenance[`input.${key}`] ?? '',
  ])
  for (const [index, head] of description.heads.entries()) {
    for (const [key, value] of Object.entries(head)) {
      lines.push([`heads.${index}.${key}`, String(value), provenance[`heads.${index}.${key}`] ?? ''])
    }
  }
  for (const [path, value, from] of lines) text += `  ${path.padEnd(16)} ${value.padEnd(22)} ${from}\n`
  if (network.notes.length > 0) text += `\n${network.notes.join('\n')}\n`
  return text
}
