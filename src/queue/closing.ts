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

/** Whether `promise` settles in time, however it does. */
export async function settles(promise: Promise<unknown>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), withinMs)))
  const settled = promise.then(
    () => true,
    () => true,
  )
  const inTime = await Promise.race([settled, late])
  clearTimeout(timer)
  return inTime
}
