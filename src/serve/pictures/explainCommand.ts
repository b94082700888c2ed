import type { ResultSet } from '../../output/resultSet.ts'
import { place } from '../../storage/place.ts'

/**
 * A command line for a POSIX shell that explains one image as its row was computed. What the flags cannot say is a network's
 * description of its own: a file beside the network, or a name, that whoever ran it gave.
 *
 * @param outputUri of the output, ending in a slash
 */
export function explainCommand(outputUri: string, set: ResultSet, key: string, objective: string): string {
  const { dataset, network, options } = set
  const { name, applyExifOrientation, ...adapter } = options.adapter
  const words = [
    'headlight',
    'explain',
    key.startsWith('-') ? `./${key}` : key,
    ...['--dataset', place(dataset.uri)],
    ...(name === 'images' ? [] : ['--adapter', name]),
    ...Object.entries(adapter).flatMap(([option, value]) => adapterFlag(option, value)),
    ...(applyExifOrientation ? ['--exif-orientation'] : []),
    ...['--network', `${place(outputUri)}${set.id}/network/${network.file}`],
    `--objective=${objective}`,
    ...(options.scope === 'all' ? [] : ['--scope', options.scope]),
    ...(options.style === 'origin' ? [] : ['--style', options.style]),
    ...(options.relu6 === undefined ? [] : ['--relu6', options.relu6]),
    ...(dataset.endpoint === null ? [] : ['--s3-endpoint', dataset.endpoint]),
  ]
  return words.map(quoted).join(' ')
}

/** Options of an adapter bear the names of its flags; lists are written with commas. */
function adapterFlag(option: string, value: unknown): string[] {
  const flag = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (typeof value === 'string' || typeof value === 'number') return [`${flag}=${value}`]
  if (Array.isArray(value)) return [`${flag}=${value.join(',')}`]
  return value === true ? [flag] : []
}

/** Nothing within single quotes means anything to a shell but their end. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
