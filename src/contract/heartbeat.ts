import { z } from 'zod'
import { queuePrefix } from './job.ts'

/**
 * What a worker says of itself every few seconds, as the value of `heartbeatKey`. It is for people who look: nothing
 * that headlight does depends on it.
 */
// Not strict: during an upgrade, status must show workers of the newer version, too, which may say more.
export const heartbeatSchema = z.object({
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  /** Of the shards computed so far; before the first, what was asked for. */
  engine: z.string(),
  device: z.string(),
  /** `working` also while it waits for shards (see `activity`); `waiting`: a fault of its place, named by `fault`. */
  state: z.enum(['working', 'waiting', 'stopping']),
  fault: z.string().nullable(),
  /** `idle`: no shard is there for it; `paused`: what is there is of paused runs. Absent in older versions. */
  activity: z.enum(['computing', 'idle', 'paused']).optional(),
  /** Alive and ready. */
  units: z.int().nonnegative(),
  /** Images since the worker started, and a second, over the last ten. */
  computed: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  imagesPerSecond: z.number().nonnegative(),
  startedAt: z.iso.datetime(),
})
export type Heartbeat = z.infer<typeof heartbeatSchema>

/** A set of worker ids. One that was killed stays in it until somebody looks; its heartbeat is gone by then. */
export const workersKey = `${queuePrefix}:workers`
export const heartbeatKey = (worker: string) => `${queuePrefix}:worker:${worker}`

export const heartbeatIntervalMs = 2_000
/** The heartbeat expires, so that Redis' own clock says how old it is, whatever the hosts' clocks say. */
export const heartbeatExpiryMs = 60_000
