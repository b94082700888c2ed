import { settles } from '../base/settles.ts'

interface Closable {
  close(): Promise<unknown>
  disconnect(): Promise<unknown>
}

const disconnectMs = 2_000

/** BullMQ waits for Redis when it closes; a process must be able to end without. */
export async function closeWithin(client: Closable, withinMs: number): Promise<void> {
  if (await settles(client.close(), withinMs)) return
  await settles(client.disconnect(), disconnectMs)
}
