import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built command: `npm run build` makes it, and `npm test` does that first. */
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export const networkFile = fileURLToPath(new URL('../checkpoints/tiny_hp.pkl', import.meta.url))
export const imageFolder = fileURLToPath(new URL('../images', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A call of the command as a user would type it, with nothing of the caller's environment but PATH and HOME. */
export function headlight(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return startHeadlight(args, environment).ended
}

export function startHeadlight(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { ended: Promise<Ended>; kill: (signal: NodeJS.Signals) => void; said: (text: string) => Promise<void> } {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [main, ...args], {
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
    ended,
    kill: (signal) => void child.kill(signal),
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stderr.includes(text)) resolve()
        }
        look()
        child.stderr.on('data', look)
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
