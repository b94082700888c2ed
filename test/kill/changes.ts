import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../src/storage/store.ts'
import { plainImage } from './place.ts'
import type { Random } from './random.ts'

/** What happens to a dataset while a run computes it: images come, go and are replaced. */
export interface Change {
  /** Of the shards that are committed when it happens. */
  readonly share: number
  readonly kind: 'add' | 'remove' | 'replace'
  /** Picks the image, by its place among all. */
  readonly at: number
  readonly level: number
}

export function plannedChanges(random: Random): Change[] {
  return Array.from({ length: 18 }, () => ({
    share: random.between(0, 0.9),
    kind: random.pick<Change['kind']>(['add', 'remove', 'replace']),
    at: random.unit(),
    level: random.integer(0, 255),
  })).sort((a, b) => a.share - b.share)
}

/** Some more images that are replaced, one after the other, when all is done. */
export function replacements(random: Random): Change[] {
  return Array.from({ length: 6 }, () => ({
    share: 1,
    kind: 'replace',
    at: random.unit(),
    level: random.integer(0, 255),
  }))
}

/** The store may be having a bad day. */
const limitMs = 60_000

export async function apply(change: Change, dataset: Store): Promise<string> {
  const keys: string[] = []
  const deadline = performance.now() + limitMs
  for (;;) {
    try {
      keys.splice(0)
      for await (const { key } of dataset.list()) keys.push(key)
      // Between two that are there, so that it falls into what may be listed, computed or still to come.
      const key = keys[Math.floor(change.at * keys.length)] ?? ''
      if (change.kind === 'remove') await dataset.delete(key)
      else await dataset.put(change.kind === 'add' ? `${key}.new.png` : key, await plainImage(change.level))
      return `${change.kind} ${key}`
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(200)
    }
  }
}
