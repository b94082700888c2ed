/** What the parts of a deployment take for what they do. Times in seconds unless a name says otherwise. */
export interface ServiceTimes {
  /** One unit computing one image: the slowest of its overlapping stages. */
  readonly imageS: number
  /** Relative standard deviation of a shard's time, from images that differ and machines that do. */
  readonly spread: number
  /** What lies between two shards of a unit and is not overlapped. */
  readonly betweenShardsS: number
  /** From a free unit to its next shard's first byte: queue, manifest slice, fetch. Hidden while another shard computes. */
  readonly leadS: number
  /** Producer: one key listed, fingerprinted, compared and written to the manifest. */
  readonly listedKeyS: number
  /** Producer: one row of the final table, with its report. */
  readonly tableRowS: number
  /** Processor time that one shard costs Redis over its life; Redis has one core for it. */
  readonly redisShardS: number
  /** Requests per image, and what one prefix of the store serves a second. */
  readonly getsPerImage: number
  readonly putsPerImage: number
  readonly storeGetsPerS: number
  readonly storePutsPerS: number
}

export interface Deployment {
  readonly nodes: number
  readonly unitsPerNode: number
  readonly images: number
  readonly shardSize: number
  /** Listings side by side, each of one prefix. */
  readonly listings: number
  /** Prefixes that the store has spread the dataset and the maps over. */
  readonly storePrefixes: number
}

export interface Outcome {
  readonly seconds: number
  readonly imagesPerS: number
  /** Share of the time that each part was busy; `producer` lists and, at the end, writes the table. */
  readonly busy: Readonly<Record<Part, number>>
}

export const parts = ['units', 'redis', 'gets', 'puts', 'producer'] as const
export type Part = (typeof parts)[number]

/** Serves one request after another at a fixed rate. */
class Server {
  readonly #perS: number
  #freeAt = 0
  busyS = 0

  constructor(perS: number) {
    this.#perS = perS
  }

  /** When `requests` that arrive at `at` are served. */
  serve(at: number, requests: number): number {
    const s = requests / this.#perS
    this.#freeAt = Math.max(this.#freeAt, at) + s
    this.busyS += s
    return this.#freeAt
  }
}

/**
 * A run as discrete events: a unit takes a shard (not before it was listed), Redis and the store serve its requests in
 * turn, the unit computes, puts and commits. Where the store or Redis is slower than the units, they wait for it.
 */
export function simulate(times: ServiceTimes, d: Deployment): Outcome {
  const units = d.nodes * d.unitsPerNode
  const shards = Math.ceil(d.images / d.shardSize)
  const redis = new Server(1)
  const gets = new Server(times.storeGetsPerS * d.storePrefixes)
  const puts = new Server(times.storePutsPerS * d.storePrefixes)
  const listedShardS = (times.listedKeyS * d.shardSize) / d.listings
  const events = new EventQueue(units)
  const random = new Noise(1)
  let computingS = 0
  let next = 0
  let end = 0
  for (let event = events.pop(); event; event = events.pop()) {
    const { at, unit, isComputed, count } = event
    if (isComputed) {
      const put = puts.serve(at, count * times.putsPerImage + 2)
      const committed = redis.serve(put, times.redisShardS / 2)
      end = Math.max(end, committed)
      events.push({ at: committed + times.betweenShardsS, unit, isComputed: false, count: 0 })
      continue
    }
    if (next >= shards) continue
    const shard = next++
    const images = Math.min(d.shardSize, d.images - shard * d.shardSize)
    const listed = Math.max(at, (shard + 1) * listedShardS)
    const pulled = redis.serve(listed, times.redisShardS / 2)
    const fetched = gets.serve(pulled, images * times.getsPerImage + 2)
    // The first shard of a unit, and one that was waited for, has nothing to hide its lead behind.
    const leadS = listed > at || at === 0 ? times.leadS : 0
    const computeS = images * times.imageS * Math.max(0.2, 1 + times.spread * random.normal())
    computingS += computeS
    events.push({ at: Math.max(pulled + leadS + computeS, fetched), unit, isComputed: true, count: images })
  }
  const tableS = d.images * times.tableRowS
  const seconds = end + tableS
  return {
    seconds,
    imagesPerS: d.images / seconds,
    busy: {
      units: computingS / units / seconds,
      redis: redis.busyS / seconds,
      gets: gets.busyS / seconds,
      puts: puts.busyS / seconds,
      producer: (shards * listedShardS + tableS) / seconds,
    },
  }
}

interface Event {
  readonly at: number
  readonly unit: number
  readonly isComputed: boolean
  readonly count: number
}

/** The earliest event first: a binary heap. All units begin free. */
class EventQueue {
  readonly #heap: Event[]

  constructor(units: number) {
    this.#heap = Array.from({ length: units }, (_, unit) => ({ at: 0, unit, isComputed: false, count: 0 }))
  }

  push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    for (let above = (at - 1) >> 1; at > 0 && heap[above]!.at > event.at; above = (at - 1) >> 1) {
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = event
  }

  pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below++
      if (heap[below]!.at >= last.at) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
    return first
  }
}

/** Repeatable normal deviates (sums of uniform ones). */
class Noise {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  normal(): number {
    let sum = -6
    for (let i = 0; i < 12; i++) {
      this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
      sum += this.#state / 2 ** 32
    }
    return sum
  }
}
