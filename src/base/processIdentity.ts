import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/** Names one process for ever: pids are reused, also within a boot. */
export interface ProcessIdentity {
  readonly host: string
  readonly bootId: string
  readonly pid: number
  /** Start time in clock ticks since boot (Linux), so that a reused pid is not taken for the same process. */
  readonly processStart: string
}

/** This process. Without /proc (not Linux) the boot is unknown, and no other process can be looked up. */
export async function thisProcess(): Promise<ProcessIdentity> {
  const bootId = await currentBoot()
  return { host: hostname(), bootId, pid: process.pid, processStart: (await processStart(process.pid)) ?? '' }
}

/**
 * Whether the owner was a process of this very machine, boot and pid namespace that has ended. `false` also when that
 * cannot be known from here.
 */
export async function hasEnded(owner: ProcessIdentity, here: ProcessIdentity): Promise<boolean> {
  if (owner.bootId === '' || owner.host !== here.host || owner.bootId !== here.bootId) return false
  return (await processStart(owner.pid)) !== owner.processStart
}

/** Whether the owner is a process of this machine that is still there. */
export async function isAlive(owner: ProcessIdentity, here: ProcessIdentity): Promise<boolean> {
  if (owner.bootId === '' || owner.host !== here.host || owner.bootId !== here.bootId) return false
  return (await processStart(owner.pid)) === owner.processStart
}

/**
 * Boot id and pid namespace. Containers on one machine share kernel and boot but not pids, and may share a host name: a
 * pid of one looks dead from the other.
 */
async function currentBoot(): Promise<string> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    return `${boot} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}

/** Start time in clock ticks since boot: field 22 of /proc/<pid>/stat. Undefined when there is no such process. */
async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses and may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // Zombies and dead processes still have an entry, but write nothing any more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
