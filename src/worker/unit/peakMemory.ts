import { readFileSync } from 'node:fs'

/**
 * The most memory that was resident of this process. From Linux itself where it tells: what getrusage says of a process
 * begins with what its parent had when it was forked.
 */
export function peakMemoryBytes(): number {
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(ownStatus())?.[1] ?? process.resourceUsage().maxRSS
  return Number(kibibytes) * 1024
}

function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8')
  } catch {
    return ''
  }
}
