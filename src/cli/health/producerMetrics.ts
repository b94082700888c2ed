import type { Summary } from '../../output/summary.ts'
import type { RunProgress } from '../../producer/progress.ts'
import type { ScheduleStatus } from '../../producer/schedules.ts'
import type { ServeEvent } from '../../producer/serveQueue.ts'
import type { RunJob } from '../../queue/jobs.ts'
import { errorFigures } from '../../report/errorFigures.ts'
import { Metrics } from './metrics.ts'

/** From an unchanged folder to a day and a half. */
const runSeconds = [1, 10, 60, 300, 900, 3_600, 4 * 3_600, 12 * 3_600, 36 * 3_600]

/** What a standing producer's `/metrics` shows; docs/metrics.md explains each name. Add, don't rename. */
export class ProducerMetrics {
  readonly all = new Metrics()
  readonly #info = this.all.level('headlight_build_info', 'Always 1; the label is what counts.', ['version'])
  readonly #active = this.all.level('headlight_runs_active', 'Runs being served by this producer.')
  readonly #runs = this.all.count('headlight_runs_total', 'Runs that this producer stopped serving.', ['outcome'])
  readonly #seconds = this.all.spread('headlight_run_seconds', 'Time that completed runs were served.', runSeconds)
  readonly #listed = this.all.count('headlight_images_listed_total', 'Images seen in listings of datasets.')
  readonly #lastSuccess = this.all.level(
    'headlight_schedule_last_success_timestamp_seconds',
    'When a run of the schedule last completed.',
    ['schedule'],
  )
  readonly #next = this.all.level(
    'headlight_schedule_next_timestamp_seconds',
    'When the schedule is due next; absent while it is paused.',
    ['schedule'],
  )
  readonly #ownImages = this.all.level(
    'headlight_last_run_images',
    "Images that the schedule's last completed run computed, failed ones included.",
    ['schedule'],
  )
  readonly #ownLabelled = this.all.level(
    'headlight_last_run_labelled_images',
    'How many of these images the errors are over; absent where it is none.',
    ['schedule'],
  )
  readonly #ownError = this.all.level(
    'headlight_last_run_error_degrees',
    'Mean absolute error over these images alone; absent where none has a label.',
    ['schedule', 'angle'],
  )
  readonly #ownFailures = this.all.level(
    'headlight_last_run_failed_images',
    'How many of these images failed; absent for a code that none of them has.',
    ['schedule', 'code'],
  )
  readonly #refused = this.all.count(
    'headlight_refused_total',
    'Attempts at runs, and webhooks, refused since they name a place outside of --allow.',
  )
  readonly #redisUp = this.all.level('headlight_redis_up', '1 when Redis answered.')
  readonly #atWork = new Map<RunJob, number>()

  constructor(version: string) {
    this.#info.set({ version }, 1)
    for (const outcome of ['completed', 'cancelled', 'failed', 'skipped']) this.#runs.inc({ outcome }, 0)
  }

  heard(event: ServeEvent): void {
    switch (event.type) {
      case 'serving':
        break
      case 'refused':
        this.#refused.inc({}, 1)
        break
      case 'run-started':
        this.#atWork.set(event.job, 0)
        break
      case 'run-ended':
        this.#atWork.delete(event.job)
        this.#runs.inc({ outcome: event.outcome }, 1)
        if (event.outcome === 'completed') this.#seconds.observe({}, event.seconds)
        break
    }
  }

  progress(job: RunJob, { listed }: RunProgress): void {
    this.#listed.inc({}, Math.max(0, listed - (this.#atWork.get(job) ?? 0)))
    this.#atWork.set(job, listed)
  }

  /**
   * What is read rather than heard of; null where Redis did not tell.
   *
   * @param lastRuns by schedule, what its last completed run says
   */
  look(
    schedules: readonly ScheduleStatus[] | null,
    isRedisUp: boolean,
    lastRuns: ReadonlyMap<string, Pick<Summary, 'counts' | 'thisRun'>>,
  ): void {
    this.#active.set({}, this.#atWork.size)
    this.#redisUp.set({}, isRedisUp ? 1 : 0)
    if (schedules === null) return
    this.#lastSuccess.reset()
    this.#next.reset()
    for (const { schedule, next, outcomes } of schedules) {
      const last = outcomes.find(({ outcome }) => outcome === 'completed')
      if (last) this.#lastSuccess.set({ schedule: schedule.name }, Date.parse(last.at) / 1000)
      if (next[0]) this.#next.set({ schedule: schedule.name }, next[0].getTime() / 1000)
    }
    this.#showLastRuns(lastRuns)
  }

  #showLastRuns(lastRuns: Parameters<ProducerMetrics['look']>[2]): void {
    for (const level of [this.#ownImages, this.#ownLabelled, this.#ownError, this.#ownFailures]) level.reset()
    for (const [schedule, { counts, thisRun }] of lastRuns) {
      this.#ownImages.set({ schedule }, counts.computed)
      const figures = thisRun && errorFigures(thisRun)
      if (figures !== undefined) this.#ownLabelled.set({ schedule }, figures.n)
      for (const angle of figures?.columns ?? []) {
        const error = figures?.mae[angle]
        if (error !== undefined) this.#ownError.set({ schedule, angle }, error)
      }
      for (const [code, n] of Object.entries(thisRun?.failures ?? {})) this.#ownFailures.set({ schedule, code }, n)
    }
  }
}
