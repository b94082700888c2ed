import { fork } from 'node:child_process'
import { z } from 'zod'
import { siblingModule } from '../base/siblingModule.ts'
import type { EngineName } from '../saliency/engines/openEngine.ts'
import { noteOnInstallation } from './cudaVersions.ts'
import { engineEnvironment } from './engineEnvironment.ts'

/** What an engine says of itself when it is tried in a process of its own. */
export type Probe =
  | {
      readonly ok: true
      readonly version: string
      readonly device: string
      /** What to know of it, though it works. */
      readonly note?: string
    }
  | { readonly ok: false; readonly problem: string }

const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), version: z.string(), device: z.string() }),
  z.object({ ok: z.literal(false), problem: z.string() }),
])

const usualTimeoutMs = 120_000

type Environment = Readonly<Record<string, string | undefined>>

export interface ProbeOptions {
  /** The one GPU that the engine may see; null leaves it all. */
  readonly device?: string | null
  /** On a GPU that is new to it, an engine compiles before its first answer. */
  readonly timeoutMs?: number
}

/**
 * Loads an engine, checks its known answer and a gradient against finite differences. In a child process, since a native
 * library that is broken may end the process or never return. Never rejects.
 */
export async function probeEngine(
  engine: EngineName,
  enginesFolder: string,
  environment: Environment,
  { device = null, timeoutMs = usualTimeoutMs }: ProbeOptions = {},
): Promise<Probe> {
  const probe = await tried(engine, enginesFolder, environment, { device, timeoutMs })
  const note = noteOnInstallation(engine, enginesFolder)
  if (note === null) return probe
  return probe.ok ? { ...probe, note } : { ok: false, problem: `${probe.problem} (${note})` }
}

async function tried(
  engine: EngineName,
  enginesFolder: string,
  environment: Environment,
  { device, timeoutMs }: Required<ProbeOptions>,
): Promise<Probe> {
  return new Promise((resolve) => {
    const child = fork(siblingModule(import.meta.url, 'probeMain'), [engine, enginesFolder], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: engineEnvironment(environment, { engine, enginesFolder, device }),
    })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-1_000)))
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, timeoutMs)
    let answer: Probe | undefined
    child.on('message', (message) => (answer = answerSchema.parse(message)))
    child.on('error', (error) => (answer ??= { ok: false, problem: error.message }))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const ended = `its process ended with ${signal === null ? `exit code ${code}` : `signal ${signal}`}`
      const late = `it gave no answer within ${timeoutMs / 1000} s (run, retry and worker give it --unit-start-seconds)`
      const what = isLate ? late : ended
      const last = said.trim().split('\n').at(-1) ?? ''
      resolve(answer ?? { ok: false, problem: `${what}${last === '' ? '' : `: ${last}`}` })
    })
  })
}
