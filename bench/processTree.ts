import { readdirSync, readFileSync } from 'node:fs'

/**
 * Memory of a process and all below it in MB, pages that several share counted once (proportional set size). Linux only;
 * 0 where /proc does not tell.
 */
export function processTreeMemoryMb(root: number): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (Number.isInteger(pid)) parents.set(pid, parentOf(pid))
  }
  const inside = (pid: number): boolean => pid === root || (pid > 1 && inside(parents.get(pid) ?? 0))
  return [...parents.keys()].filter(inside).reduce((total, pid) => total + proportionalKb(pid), 0) / 1024
}

/** Process id of its parent; 0 when it is gone. */
export function parentOf(pid: number): number {
  // The second field is the program's name in parentheses and may hold anything; the parent is the second after it.
  const stat = readProc(`/proc/${pid}/stat`)
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0)
}

function proportionalKb(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)
}

/** A file of /proc; empty when its process is gone. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process ended between two looks.
    return ''
  }
}
