import type { ResultSet } from '../../output/resultSet.ts'
import { place } from '../../storage/place.ts'

/** Options of adapters that their flags name otherwise. */
const flagNames: Readonly<Record<string, string>> = { labels: 'biwi-labels' }

/**
 * A command line for a POSIX shell that explains one image as its row was computed. It first writes the description of the
 * network to a file in the current folder: without it another input size or other bins might be assumed, whose map is
 * another and looks as good.
 *
 * @param outputUri of the output, ending in a slash
 */
export function explainCommand(outputUri: string, set: ResultSet, key: string, objective: string): string {
  const { dataset, network, options } = set
  const { name, applyExifOrientation, ...adapter } = options.adapter
  const description = `${set.id}.yaml`
  const words = [
    'headlight',
    'explain',
    // Not the key alone: it may begin with a dash, or name a file in the folder where the command is run.
    `${place(dataset.uri)}${key}`,
    '--dataset',
    place(dataset.uri),
    ...(name === 'images' ? [] : ['--adapter', name]),
    ...Object.entries(adapter).flatMap(([option, value]) => adapterFlag(option, value)),
    ...(applyExifOrientation ? ['--exif-orientation'] : []),
    `--max-pixels=${options.maxPixels}`,
    '--network',
    `${place(outputUri)}${set.id}/network/${network.file}`,
    '--description',
    `./${description}`,
    `--objective=${objective}`,
    ...(options.scope === 'all' ? [] : ['--scope', options.scope]),
    ...(options.style === 'origin' ? [] : ['--style', options.style]),
    ...(options.relu6 === undefined ? [] : ['--relu6', options.relu6]),
    ...(dataset.endpoint === null ? [] : ['--s3-endpoint', dataset.endpoint]),
  ]
  // JSON is YAML.
  const written = quoted(JSON.stringify(network.description))
  return `printf %s ${written} >${quoted(description)} && ${words.map(quoted).join(' ')}`
}

/** Most options of an adapter bear the names of its flags; lists, and names with values, are written with commas. */
function adapterFlag(option: string, value: unknown): string[] {
  const flag = `--${flagNames[option] ?? option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (typeof value === 'string' || typeof value === 'number') return [`${flag}=${value}`]
  if (Array.isArray(value)) return [`${flag}=${value.join(',')}`]
  if (typeof value !== 'object' || value === null) return []
  const named = Object.entries(value).map(([each, of]) => `${each}=${String(of)}`)
  return named.length === 0 ? [] : [`${flag}=${named.join(',')}`]
}

/** Nothing within single quotes means anything to a shell but their end. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
