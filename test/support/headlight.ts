import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../../src/cli/program.ts'
import type { Output } from '../../src/cli/surroundings.ts'

/** The built command: `npm run build` makes it, and `npm test` does that first. */
export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export const networkFile = fileURLToPath(new URL('../checkpoints/tiny_hp.pkl', import.meta.url))
export const imageFolder = fileURLToPath(new URL('../images', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A call of the command within this process: everything but main.ts, and several times faster. Only for calls that start
 * no child processes.
 */
export async function headlight(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const written = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr'): Output => ({
    write: (text) => void (written[name] += text),
    unread: new AbortController().signal,
    isTerminal: false,
    columns: () => 80,
  })
  const code = await runProgram(args, {
    version: '0.0.0',
    environment,
    homeFolder: '/nonexistent',
    results: output('stdout'),
    messages: output('stderr'),
    onStopSignal: () => () => undefined,
    runAgain: () => Promise.reject(new Error('the command starts itself again')),
    exit: (status) => {
      throw new Error(`the command ended the process with ${status}`)
    },
  })
  return { code, ...written }
}

/** The built command as a process of its own, with nothing of the caller's environment but PATH and HOME. */
export function startHeadlight(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder = process.cwd(),
): {
  pid: number | undefined
  ended: Promise<Ended>
  kill: (signal: NodeJS.Signals) => void
  /** Nobody reads what it says any more. */
  leave: () => void
  /** Waits until it has said the text; gives all of its standard output so far. */
  said: (text: string) => Promise<string>
} {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  return {
    pid: child.pid,
    ended,
    kill: (signal) => void child.kill(signal),
    leave: () => {
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
    },
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stderr.includes(text) || stdout.includes(text)) resolve(stdout)
        }
        look()
        for (const stream of [child.stdout, child.stderr]) stream.on('data', look)
        child.on('close', () => reject(new Error(`ended without saying "${text}": ${stderr}`)))
      }),
  }
}

/** A folder of its own, removed when `body` is done. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-cli-'))
  try {
    await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
