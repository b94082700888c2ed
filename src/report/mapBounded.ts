/** Results in the order of the items, with at most `limit` calls under way. */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  call: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const work = async () => {
    // All workers draw from the one iterator, so each item is taken once.
    for (const [index, item] of queue) results[index] = await call(item)
  }
  await Promise.all(Array.from({ length: limit }, work))
  return results
}
