import { readGallery } from '../../../saliency/networks/gallery.ts'
import type { Call } from '../../command.ts'

/** `headlight network list`. */
export async function performNetworkList({ settings, surroundings }: Call): Promise<number> {
  const entries = await readGallery()
  if (settings.json) {
    // The names are a contract: add, don't rename.
    const descriptions = entries.map(({ name, path, about }) => ({ name, path, ...about }))
    surroundings.results.write(`${JSON.stringify({ descriptions })}\n`)
    return 0
  }
  const width = Math.max(...entries.map(({ name }) => name.length))
  const lines = entries.map(({ name, about: { network, source } }) => `${name.padEnd(width)}  ${network}; ${source}\n`)
  surroundings.results.write(lines.join(''))
  return 0
}
