import { expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { LastRuns } from '../../src/producer/lastRuns.ts'
import type { ScheduleStatus } from '../../src/producer/schedules.ts'
import type { ScheduleOutcome } from '../../src/queue/schedule.ts'
import { emptySummary } from '../support/emptySummary.ts'
import { memoryStore } from '../support/memoryStore.ts'
import { silent } from '../support/redis.ts'

const outcome = (run: string, more: Partial<ScheduleOutcome> = {}): ScheduleOutcome => ({
  at: '2026-11-24T17:09:00.000Z',
  outcome: 'completed',
  run,
  message: null,
  ...more,
})

function status(name: string, outcomes: readonly ScheduleOutcome[]): ScheduleStatus {
  const job = { output: 'file:///o/', set: 's', full: false, prune: false, shardSize: null }
  return {
    schedule: { schema: 1, name, cron: '0 3 * * *', timeZone: 'UTC', job, paused: false },
    next: [],
    outcomes,
  }
}

/** An output with the summaries of these runs, `set/run`, which may be away. */
function outputOf(runs: readonly string[]) {
  const keys = runs.map((place) => layout.summary(...(place.split('/') as [string, string])))
  const summaries = runs.map((place) => JSON.stringify({ ...emptySummary, run: place.split('/')[1] }))
  const store = memoryStore(Object.fromEntries(keys.map((key, i) => [key, summaries[i] ?? ''])))
  let isAway = false
  const open = () => {
    if (isAway) throw new Error('it is away')
    return { ...store, close: () => undefined }
  }
  return { open, asked: store.asked, away: (now: boolean) => (isAway = now) }
}

/** What is shown once what the first look began has been read. */
async function shown(lastRuns: LastRuns, statuses: readonly ScheduleStatus[]): Promise<Record<string, string>> {
  lastRuns.look(statuses)
  await new Promise((resolve) => setImmediate(resolve))
  return Object.fromEntries([...lastRuns.look(statuses)].map(([name, { run }]) => [name, run]))
}

it('reads the summary of the run that each schedule completed last, once', async () => {
  const { open, asked } = outputOf(['s/r1', 's/r2', 'other/r3'])
  const lastRuns = new LastRuns(open, silent)
  const nightly = status('nightly', [outcome('r9', { outcome: 'failed' }), outcome('r1')])
  expect(lastRuns.look([nightly])).toEqual(new Map())
  expect(await shown(lastRuns, [nightly, status('new', [])])).toEqual({ nightly: 'r1' })
  expect(await shown(lastRuns, [nightly])).toEqual({ nightly: 'r1' })
  expect(asked).toHaveLength(1)
  const later = status('nightly', [outcome('r2'), outcome('r1')])
  // Until the new one has been read the former stands, so that nothing that is drawn has a gap.
  expect(lastRuns.look([later]).get('nightly')?.run).toBe('r1')
  expect(await shown(lastRuns, [later])).toEqual({ nightly: 'r2' })
  const moved = status('nightly', [outcome('r3', { set: 'other' })])
  expect(await shown(lastRuns, [moved])).toEqual({ nightly: 'r3' })
  expect(await shown(lastRuns, [])).toEqual({})
})

it('asks an output that was away again, and one without that summary no more', async () => {
  const { open, asked, away } = outputOf(['s/r1'])
  const lastRuns = new LastRuns(open, silent)
  const statuses = [status('nightly', [outcome('r1')]), status('emptied', [outcome('r0')])]
  away(true)
  expect(await shown(lastRuns, statuses)).toEqual({})
  away(false)
  await shown(lastRuns, statuses)
  expect(await shown(lastRuns, statuses)).toEqual({ nightly: 'r1' })
  expect(asked).toHaveLength(2)
})
