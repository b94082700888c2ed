import { layout } from '../contract/layout.ts'
import { holdSchema, staleHoldMs } from '../contract/run.ts'
import type { Hold } from '../contract/run.ts'
import type { Store } from '../storage/store.ts'
import { getJson } from '../storage/jsonObject.ts'

/** Who writes to a result set now. */
export interface LiveHold {
  readonly hold: Hold
  readonly heartbeatSecondsAgo: number
}

/** The hold of a result set, unless its owner has been silent for so long that it counts as gone. */
export async function liveHold(output: Store, set: string, now: Date): Promise<LiveHold | undefined> {
  const found = await getJson(output, layout.hold(set), holdSchema)
  if (found === undefined) return undefined
  const ageMs = now.getTime() - Date.parse(found.value.heartbeatAt)
  if (ageMs > staleHoldMs) return undefined
  return { hold: found.value, heartbeatSecondsAgo: Math.max(0, Math.round(ageMs / 1000)) }
}
