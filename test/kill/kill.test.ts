import { afterAll, expect, test } from 'vitest'
import { roundOf } from './round.ts'
import { Rounds } from './rounds.ts'

// A short version of `npm run test:kill`, whose seeds may be anything.

const rounds = new Rounds(1)
afterAll(() => rounds.close())

// On S3, programs apart, a Redis that fails over behind a proxy, a dataset that changes, old runs removed, outputs closed early.
test.each([15])(
  'whatever is killed, the results are those of a quiet run (seed %i)',
  { timeout: 300_000 },
  async (seed) => {
    const story = await rounds.play(roundOf(seed))
    expect(story.length).toBeGreaterThan(1)
  },
)
