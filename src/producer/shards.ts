import { shardName } from '../output/layout.ts'
import { shardsOf, type PartOutline, type Shard } from '../output/manifest.ts'
import { committedShards } from '../output/recordFile.ts'
import type { Store } from '../storage/store.ts'

/** All shards of a run that are listed so far, and which of them have their record file. */
export class Shards {
  readonly #output: Store
  readonly #set: string
  readonly #run: string
  /** By name, in the order of the manifest. */
  readonly #missing = new Map<string, Shard>()
  readonly #done = new Map<string, Shard>()
  /** Record files seen before their part was listed (a resumed run lists its records first). */
  readonly #early = new Set<string>()
  #samplesDone = 0

  constructor(output: Store, set: string, run: string) {
    this.#output = output
    this.#set = set
    this.#run = run
  }

  /** Samples in shards whose record file is there. */
  get samplesDone(): number {
    return this.#samplesDone
  }

  get missing(): readonly Shard[] {
    return [...this.#missing.values()]
  }

  get missingCount(): number {
    return this.#missing.size
  }

  /**
   * Takes in a part of the manifest; gives the shards of it that are still to be computed. A part may come again: a
   * listing that is repeated begins with the parts that are there.
   */
  add(part: PartOutline): Shard[] {
    const shards = shardsOf(part)
    for (const shard of shards) {
      const name = shardName(shard.part, shard.offset)
      if (this.#done.has(name)) continue
      this.#missing.set(name, shard)
      if (this.#early.delete(name)) this.markDone(shard)
    }
    return shards.filter((shard) => this.isMissing(shard))
  }

  isDone(shard: Pick<Shard, 'part' | 'offset'>): boolean {
    return this.#done.has(shardName(shard.part, shard.offset))
  }

  isMissing(shard: Pick<Shard, 'part' | 'offset'>): boolean {
    return this.missingShard(shard) !== undefined
  }

  /** The shard at this place of the manifest, unless it is done. */
  missingShard(shard: Pick<Shard, 'part' | 'offset'>): Shard | undefined {
    return this.#missing.get(shardName(shard.part, shard.offset))
  }

  /** Believes that a record file is there; `refresh` makes sure. */
  markDone(shard: Pick<Shard, 'part' | 'offset'>): void {
    const name = shardName(shard.part, shard.offset)
    const known = this.#missing.get(name)
    if (known === undefined) return
    this.#missing.delete(name)
    this.#done.set(name, known)
    this.#samplesDone += known.count
  }

  /** Lists `records/`: afterwards exactly those shards are done whose record file is in the store. */
  async refresh(): Promise<void> {
    const before = new Set(this.#done.keys())
    for await (const { part, offset } of committedShards(this.#output, this.#set, this.#run)) {
      const name = shardName(part, offset)
      before.delete(name)
      if (this.#missing.has(name)) this.markDone({ part, offset })
      else if (!this.#done.has(name)) this.#early.add(name)
    }
    // Believed done, but without a record file: a job's word is not the commit.
    for (const name of before) {
      const shard = this.#done.get(name)
      if (shard === undefined) continue
      this.#done.delete(name)
      this.#missing.set(name, shard)
      this.#samplesDone -= shard.count
    }
  }
}
