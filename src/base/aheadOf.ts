/**
 * What `start` makes of each item, in the order of the items. While one is waited for, the next `count` are under way. The
 * first failure, in that order, is raised; later ones are then no news.
 */
export async function* aheadOf<T, R>(
  count: number,
  items: Iterable<T> | AsyncIterable<T>,
  start: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const waiting: Promise<R>[] = []
  for await (const item of items) {
    const started = start(item)
    // Awaited below, maybe after another has failed: that one is the error to tell.
    started.catch(() => undefined)
    waiting.push(started)
    const first = waiting.length > count ? waiting.shift() : undefined
    if (first !== undefined) yield await first
  }
  for (const started of waiting) yield await started
}
