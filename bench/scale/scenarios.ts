import { parts, simulate, type Outcome, type Part, type ServiceTimes } from './simulation.ts'

/** One kind of node. Prices are inputs, not offers: put your own in. */
export interface Kind {
  readonly name: string
  readonly unitsPerNode: number
  readonly imageS: number
  readonly dollarsPerNodeHour: number
}

/** Seconds of one image on one unit; docs/performance.md says where the CPU's figure comes from. */
export const kinds: readonly Kind[] = [
  { name: 'CPU node, 16 cores', unitsPerNode: 16, imageS: 0.11, dollarsPerNodeHour: 0.7 },
  // No GPU was measured: 500 images a second is an assumption, to see what breaks first when compute is cheap.
  { name: 'GPU node, 1 unit of 500 images/s (assumed)', unitsPerNode: 1, imageS: 0.002, dollarsPerNodeHour: 4 },
]

/** Requests to the store, per million, as AWS lists them for S3 Standard in its largest region. */
const dollarsPerMillionGets = 0.4
const dollarsPerMillionPuts = 5

/** One objective: an image is read once and its map written once. */
export const common: Omit<ServiceTimes, 'imageS'> = {
  spread: 0.1,
  betweenShardsS: 0.01,
  leadS: 0.15,
  // 11 µs of processor time (bench/producerMemory.ts, ten million keys), and 0.1 s for a page of 1,000 keys from S3.
  listedKeyS: 0.000_12,
  // bench/producerMemory.ts with one objective, between 50,000 and 350,000 rows, less what making them up takes. Each
  // further objective adds its columns, and two or more the comparison of their maps: 0.12 ms a row with three.
  tableRowS: 0.000_05,
  // An assumption on the safe side; bench/scale/check.ts prints what it is: added, pulled, reported on, finished.
  redisShardS: 0.005,
  getsPerImage: 1,
  putsPerImage: 1,
  // What AWS promises of one prefix; it splits prefixes that stay busy.
  storeGetsPerS: 5_500,
  storePutsPerS: 3_500,
}

export interface Point extends Outcome {
  readonly nodes: number
  readonly images: number
  readonly dollarsPerMillion: number
  /** What is busiest beside the units, and so stands in the way of the next node. */
  readonly next: Part
}

export const nodeCounts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const

/** Enough images that every unit has some 40 shards, and what a lab has at least. */
export function imagesFor(nodes: number, kind: Kind): number {
  return Math.min(1e9, Math.max(1e6, nodes * kind.unitsPerNode * 256 * 40))
}

export interface Turned {
  readonly listings: number
  readonly storePrefixes: number
  readonly shardSize: number
}

export function point(kind: Kind, nodes: number, images: number, turned: Turned): Point {
  const times = { ...common, imageS: kind.imageS }
  const outcome = simulate(times, { nodes, unitsPerNode: kind.unitsPerNode, images, ...turned })
  const nodeHours = (nodes * outcome.seconds) / 3600
  const requests = common.getsPerImage * dollarsPerMillionGets + common.putsPerImage * dollarsPerMillionPuts
  const others = parts.filter((part) => part !== 'units')
  return {
    ...outcome,
    nodes,
    images,
    dollarsPerMillion: (nodeHours * kind.dollarsPerNodeHour) / (images / 1e6) + requests,
    next: others.reduce((a, b) => (outcome.busy[b] > outcome.busy[a] ? b : a)),
  }
}
