import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { QueueConnection } from '../../src/queue/connection.ts'
import { openPrivateRedis } from '../../src/queue/privateRedis.ts'
import { provideRedisProgram } from '../../src/queue/redisPackage.ts'
import { createLogger } from '../../src/telemetry.ts'

export const silent = createLogger('silent')

/** Shared by all tests, so that the distribution's package is unpacked once per checkout. */
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/headlight', import.meta.url))

/**
 * A PATH on which a Redis server program is found, unpacked first if need be. Where none can be had it raises the
 * sentence that says what to install: a test must fail then, since skipped it would look like passed.
 */
export async function searchPathWithRedis(): Promise<string> {
  return `${dirname(await redisProgram())}${delimiter}${process.env.PATH ?? ''}`
}

let provided: Promise<{ path: string }> | undefined

/** Path of a Redis server program, for tests that start one with settings of their own. */
export async function redisProgram(): Promise<string> {
  provided ??= provideRedisProgram({ searchPath: process.env.PATH ?? '', stateFolder: cacheFolder, log: silent })
  return (await provided).path
}

/** A Redis of this test alone, with its data in a temporary folder. */
export async function startTestRedis(): Promise<{ connection: QueueConnection; stop(): Promise<void> }> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'headlight-redis-'))
  const redis = await openPrivateRedis({
    stateFolder,
    output: 'file:///test/',
    log: silent,
    searchPath: await searchPathWithRedis(),
  })
  return {
    connection: redis.connection,
    stop: async () => {
      await redis.release()
      await rm(stateFolder, { recursive: true, force: true })
    },
  }
}

/** Whether a process of this pid runs; one that has ended and waits for its parent to notice does not. */
export function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
