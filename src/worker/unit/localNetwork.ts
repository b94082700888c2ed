import { readFile, stat } from 'node:fs/promises'
import type { LocalPaths } from '../../output/networkFile.ts'
import type { NetworkSource } from './networkOpener.ts'

/** A network whose files lie on this machine. */
export function localNetwork({ network, externalData }: LocalPaths): NetworkSource {
  const sizeOf = async (path: string): Promise<number> => (await stat(path)).size
  return {
    size: async () => (await sizeOf(network)) + (externalData === undefined ? 0 : await sizeOf(externalData.path)),
    read: async () => {
      const bytes = await readFile(network)
      if (externalData === undefined) return { bytes }
      const { file, path } = externalData
      return { bytes, externalData: { file, bytes: await readFile(path) } }
    },
  }
}
