import type { WorkerEvent } from '../../worker/supervisor/workerEvent.ts'
import type { WorkerState } from '../../worker/supervisor/workerState.ts'
import { Metrics } from './metrics.ts'

/** From a decoded thumbnail to a store that is retried for half a minute. */
const stageSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What a worker's `/metrics` shows; docs/metrics.md explains each name. Names are a contract: add, don't rename. */
export class WorkerMetrics {
  readonly all = new Metrics()
  readonly #info = this.all.level('headlight_build_info', 'Always 1; the label is what counts.', ['version'])
  readonly #computed = this.all.count('headlight_images_computed_total', 'Images that gave maps and angles.')
  readonly #failed = this.all.count('headlight_images_failed_total', 'Images that became failed records.', ['code'])
  readonly #stages = this.all.spread('headlight_stage_seconds', 'Time that stages took.', stageSeconds, ['stage'])
  readonly #shards = this.all.count('headlight_shards_total', 'Shard jobs that came to an end.', ['outcome'])
  readonly #units = this.all.level('headlight_units_alive', 'Computing units that can take shards.')
  readonly #starts = this.all.count('headlight_unit_starts_total', 'Computing units that became ready.')
  readonly #deaths = this.all.count('headlight_unit_deaths_total', 'Computing units that ended unasked.')
  readonly #fault = this.all.level('headlight_place_fault', '1 while no shards are pulled for a fault of the place.')
  readonly #faults = this.all.count(
    'headlight_place_faults_total',
    'Faults of the place, or of a run’s own files, repeated ones too.',
    ['code'],
  )
  readonly #refused = this.all.count(
    'headlight_refused_total',
    'Shard jobs put aside since they name a place outside of --allow.',
  )
  readonly #redisUp = this.all.level('headlight_redis_up', '1 when Redis answered.')

  constructor(version: string) {
    this.#info.set({ version }, 1)
    // A counter that appears only with its first event hides that event from `rate`.
    for (const outcome of ['computed', 'skipped', 'cancelled', 'retried', 'failed']) this.#shards.inc({ outcome }, 0)
  }

  heard(event: WorkerEvent): void {
    switch (event.type) {
      case 'measured': {
        const { computed, failures, stageMs } = event.measured
        this.#computed.inc({}, computed)
        for (const [code, count] of Object.entries(failures)) this.#failed.inc({ code }, count)
        for (const [stage, times] of Object.entries(stageMs)) {
          for (const ms of times) this.#stages.observe({ stage }, ms / 1000)
        }
        break
      }
      case 'shard':
        this.#shards.inc({ outcome: event.result.outcome }, 1)
        break
      case 'shard-failed':
        this.#shards.inc({ outcome: event.isLastAttempt ? 'failed' : 'retried' }, 1)
        break
      case 'unit-started':
        this.#starts.inc({}, 1)
        break
      case 'unit-died':
        this.#deaths.inc({}, 1)
        break
      case 'place-fault':
      case 'run-fault':
        this.#faults.inc({ code: event.code }, 1)
        break
      case 'refused':
        this.#refused.inc({}, 1)
        break
      case 'unit-dismissed':
      case 'place-retry':
        break
    }
  }

  /** What is read rather than heard of. `state` is absent until the worker has started. */
  look(state: WorkerState | undefined, isRedisUp: boolean): void {
    this.#units.set({}, state?.units ?? 0)
    this.#fault.set({}, state?.isWaiting === true ? 1 : 0)
    this.#redisUp.set({}, isRedisUp ? 1 : 0)
  }
}
