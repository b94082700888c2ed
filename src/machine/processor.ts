import { readFileSync } from 'node:fs'

/**
 * What this machine's processor can do, as Linux tells it; null where it does not, and where it is too old to take values
 * from any address, as models that lie in a file's bytes are. All processors of a machine are taken to be alike.
 */
export function processorFeatures(read: () => string = ownDescription, arch: string = process.arch): string | null {
  const features = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(read())?.[1]?.split(/\s+/)
  if (features === undefined) return null
  if (arch !== 'arm64' && !features.includes('avx')) return null
  return features
    .filter((feature) => feature !== '')
    .toSorted()
    .join(' ')
}

function ownDescription(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return ''
  }
}
