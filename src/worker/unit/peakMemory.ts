import { readFileSync, writeFileSync } from 'node:fs'

/**
 * The most memory that was resident of this process, since `forgetPeakMemory` was last called. From Linux itself where it tells: what getrusage says of a process
 * begins with what its parent had when it was forked.
 */
export function peakMemoryBytes(): number {
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(ownStatus())?.[1] ?? process.resourceUsage().maxRSS
  return Number(kibibytes) * 1024
}

/** Else a small network would seem to take what a large one took in this process before. Does nothing where Linux forbids it. */
export function forgetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // Then what is measured is more than it takes, and is known to be: see `isOnly`.
  }
}

function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8')
  } catch {
    return ''
  }
}
