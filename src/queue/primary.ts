import type { RedisOptions } from 'bullmq'
import { Redis } from 'ioredis'
import { StandaloneConnector } from 'ioredis/built/connectors/index.js'
import { z } from 'zod'

/**
 * First words of the answers of a server that is not the one to write to, or no more, and has done nothing of what it was
 * asked. After a failover the old primary often stays reachable as a replica: a proxy, a DNS name or a sentinel leads new
 * connections to the new primary, but those that there are stay where they are and hear this for ever. (Redis before 7
 * puts the word behind the name of a script.)
 *
 * - READONLY: it is a replica. UNBLOCKED: it becomes one, and ends what waited for a job.
 * - LOADING, to one that was connected: a replica that takes over all data of its primary. MASTERDOWN: one that has none.
 * - NOREPLICAS: a primary that its replicas have left, perhaps for another.
 *
 * Not MISCONF and OOM: that is the right server, with a full disk or memory. Not CLUSTERDOWN and MOVED: a cluster's client
 * asks its nodes by itself.
 */
const notThePrimary = /(?:^|: -)(READONLY|UNBLOCKED|LOADING|MASTERDOWN|NOREPLICAS) /

/**
 * What is sent again by itself once the primary is found: BullMQ's scripts and its waiting for jobs and events. It takes
 * an answer of the server for a fault of the job, so that a shard that is done would count as failed. All else fails, and
 * is repeated by who sent it: what stands in a transaction must not be sent again outside of it.
 */
const sentAgain: ReadonlySet<string> = new Set(['eval', 'evalsha', 'bzpopmin', 'xread'])

/** A server that keeps saying so is left once in this time, not as fast as commands fail. */
const leavingAgainMs = 1_000
/** Nothing that headlight sends may wait for an answer for so long; BullMQ blocks for ten seconds at most. */
const silenceMs = 30_000

const answered = z.object({ command: z.object({ name: z.string() }) })
const role = z.object({ role: z.string().optional() })

/**
 * A client of one server (or of the one that sentinels name) that looks for the primary anew when the server it is
 * connected to is a replica, or says nothing any more, as when its machine has lost its power: the connection would hang
 * for a quarter of an hour. The caller listens to its errors for ever, also when it is closed: one that nobody listens to
 * would end the process.
 */
export function primaryClient(options: RedisOptions): Redis {
  let isLeaving = false
  let leftAt = -Infinity
  const all: RedisOptions = {
    ...options,
    // A server that loads is asked again on the same connection, while another may be the primary by now.
    maxLoadingRetryTime: 1_000,
    socketTimeout: silenceMs,
    reconnectOnError: (error: Error) => {
      if (!notThePrimary.test(error.message)) return false
      if (!isLeaving && performance.now() - leftAt < leavingAgainMs) return false
      isLeaving = true
      leftAt = performance.now()
      const { data } = answered.safeParse(error)
      return data !== undefined && sentAgain.has(data.command.name) ? 2 : 1
    },
    ...(options.sentinels ? {} : { Connector: primaryConnector(options, () => client) }),
  }
  const client: Redis = new Redis(all)
  client.on('close', () => (isLeaving = false))
  return client
}

/**
 * Refuses to be connected to a replica. Leaving it only at its first refusal of a command would not do: until the proxy
 * or the DNS follows, the client would be connected again and again, at once, and fail what waits for it.
 */
function primaryConnector(options: RedisOptions, client: () => Redis): typeof StandaloneConnector {
  return class extends StandaloneConnector {
    constructor() {
      super({ ...options, disconnectTimeout: 2_000 })
    }

    /** @param info the server's INFO; empty where the user may not ask for it */
    override check(info: unknown): boolean {
      const { data } = role.safeParse(info)
      if (!isReplica(data?.role)) return true
      client().emit('error', sayReplica())
      return false
    }
  }
}

/** As such a server itself says it, of the first command that writes. */
export const sayReplica = (): Error => new Error("READONLY You can't write against a read only replica.")

/** Whether the role that a server's INFO tells is a replica's (`replica` with Dragonfly). */
export const isReplica = (said: string | undefined): boolean => said === 'slave' || said === 'replica'
