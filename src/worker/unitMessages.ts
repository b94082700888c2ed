import type { ErrorMessage } from '../base/errorMessage.ts'
import type { GpuEnvironment } from '../machine/gpuMemory.ts'
import type { LocalPaths } from '../output/networkFile.ts'
import type { ResultSet } from '../output/resultSet.ts'
import type { ShardJob } from '../queue/jobs.ts'
import type { EndpointOverrides } from './endpoints.ts'
import type { Measured } from './measurements.ts'
import type { NetworkMemory, OpenedNetwork } from './networkMemory.ts'
import type { Verdict } from './suspicion.ts'

/** Where a GPU's memory decides. */
export const largestBatch = 32

/** How every unit of a worker works; sent once, right after the fork. */
export interface UnitSettings {
  readonly cacheFolder: string
  /** Where compiled programs are kept; null: nowhere. */
  readonly modelsFolder: string | null
  readonly engine: string
  /** Where engines are installed. */
  readonly enginesFolder?: string | undefined
  readonly batch: number | null
  /** Where `batch` is null, larger ones are not tried. */
  readonly largestBatch: number
  readonly engineReason?: string | undefined
  /** What the unit's environment says of its GPU. */
  readonly gpuEnvironment: GpuEnvironment
  readonly intraOpThreads: number
  readonly endpoints: EndpointOverrides
  /** Objects fetched at a time; null chooses by the kind of store. */
  readonly fetchConcurrency: number | null
}

/** What of a result set decides how its network is opened. */
export interface MeasuredNetwork {
  readonly network: ResultSet['network']
  readonly options: Pick<ResultSet['options'], 'objectives' | 'scope' | 'relu6' | 'style' | 'gradients'>
}

/** For the log: how a network came to be open. */
export interface OpenedHow {
  /** It was found compiled. */
  readonly isKept: boolean
  /** What became of the compiled program. */
  readonly notes: readonly string[]
}

export interface ShardOrder {
  readonly job: ShardJob
  readonly set: ResultSet
  readonly lastAttempt: boolean
  /** Not null: one image at a time, without the convicted keys. */
  readonly alone: { readonly convicted: Readonly<Record<string, Verdict>> } | null
}

export interface ShardDone {
  readonly outcome: 'computed' | 'skipped'
  /** Records, failed ones included. */
  readonly computed: number
  readonly failed: number
  readonly engine: string
  readonly engineReason?: string | undefined
  readonly engineMs: number
}

/** Supervisor → unit. `shard` numbers a unit's orders; a unit has at most two, of which one computes. */
export type UnitCommand =
  | { readonly type: 'start'; readonly settings: UnitSettings }
  | { readonly type: 'shard'; readonly shard: number; readonly order: ShardOrder }
  /** Stop putting at once and report `failed`. */
  | { readonly type: 'stop'; readonly shard: number }
  /** The key announced by `alone` is noted; go on. */
  | { readonly type: 'noted' }
  /** Instead of shards: open this network and compute a black image, to report `memory`; else `unusable`. */
  | { readonly type: 'measure'; readonly paths: LocalPaths; readonly set: MeasuredNetwork }
  /** There is memory for the network that the unit asked for. */
  | { readonly type: 'open' }
  | { readonly type: 'exit' }

/** Unit → supervisor. Every message is a sign of life, and is sent only because something got done or began. */
export type UnitReport =
  | { readonly type: 'ready' }
  | { readonly type: 'unusable'; readonly error: ErrorMessage }
  /** Whether the unit has been waiting for a store for long. */
  | { readonly type: 'waiting'; readonly isWaiting: boolean }
  | { readonly type: 'measured'; readonly measured: Measured }
  /** Has a network to open, and waits for `open`. */
  | { readonly type: 'mayOpen'; readonly network: OpenedNetwork }
  /**
   * The engine begins to open a network, on a GPU up to its first batch. `batch`: it tries whether the device's memory
   * holds so many images; null where that is not in question.
   */
  | { readonly type: 'opening'; readonly batch: number | null }
  /** It is open, or, without `how`, could not be opened. */
  | { readonly type: 'opened'; readonly how?: OpenedHow | undefined }
  /**
   * Once for each network that is open, when its first batch is computed. `isOnly`: the unit has opened no other before, and
   * has compiled this one itself.
   */
  | { readonly type: 'memory'; readonly network: string; readonly memory: NetworkMemory; readonly isOnly: boolean }
  /** The network with this key is not open any more, or could not be opened. */
  | { readonly type: 'closed'; readonly network: string }
  | ShardReport

export type ShardReport = { readonly shard: number } & (
  | { readonly type: 'turn' }
  | { readonly type: 'progress'; readonly computed: number; readonly failed: number }
  /** Decodes and computes this sample alone next; null when none is. */
  | { readonly type: 'alone'; readonly key: string | null }
  | { readonly type: 'done'; readonly done: ShardDone }
  | { readonly type: 'failed'; readonly error: ErrorMessage }
)
