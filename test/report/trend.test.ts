import { expect, it } from 'vitest'
import { TransientError } from '../../src/base/errors.ts'
import { layout } from '../../src/output/layout.ts'
import { putSummary, type Summary } from '../../src/output/summary.ts'
import { readTrend } from '../../src/report/trend.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { emptySummary } from '../support/emptySummary.ts'
import { memoryOutput } from '../support/memoryOutput.ts'

const name = (i: number) => `20261101T00${String(i).padStart(2, '0')}00Z-000000`

async function outputOf(count: number, summary: (i: number) => Partial<Summary> = () => ({})) {
  const output = memoryOutput()
  for (let i = 0; i < count; i++) await putSummary(output, 's', { ...emptySummary, run: name(i), ...summary(i) })
  return output
}

it('reads the last 60 runs, oldest first', async () => {
  const runs = await readTrend(await outputOf(70), 's')
  expect(runs.map(({ run }) => run)).toEqual(Array.from({ length: 60 }, (_, i) => name(10 + i)))
})

it('leaves out a summary that is another’s, and a run that has none', async () => {
  const output = await outputOf(3)
  await output.put(layout.summary('s', name(1)), '{"of":"another"}')
  await output.put(layout.run('s', name(5)), '{}')
  expect((await readTrend(output, 's')).map(({ run }) => run)).toEqual([name(0), name(2)])
})

it('raises what the store raises when it does not answer: that passes, and the runs are there', async () => {
  const output = wrapped(await outputOf(3), {
    get: () => Promise.reject(new TransientError('store-busy', 'the store did not answer')),
  })
  await expect(readTrend(output, 's')).rejects.toThrow('the store did not answer')
})

it('tells what a run’s own images say from what it does not know', async () => {
  const mae = (mean: number) => ({ yaw: mean, pitch: mean, roll: mean, mean })
  const errors = { n: 5, excluded: 0, median: mae(1), geodesicMean: 1 }
  const counts = { ...emptySummary.counts, computed: 9 }
  const runs = await readTrend(
    await outputOf(3, (i) => {
      if (i === 0) return { mae: mae(4), errors, counts }
      if (i === 1) return { mae: mae(4), errors }
      const thisRun = { n: 9, mae: mae(8), bias: null, errors, failures: { 'corrupt-image': 2, vanished: 1 } }
      return { mae: mae(4.1), errors, counts, thisRun }
    }),
    's',
  )
  expect(
    runs.map(({ stateErrors, ownErrors, ownFailed }) => [stateErrors?.mae.mean, ownErrors?.mae.mean, ownFailed]),
  ).toEqual([
    // Of an earlier version; one that computed nothing, of which none failed; one of this version.
    [4, undefined, null],
    [4, undefined, 0],
    [4.1, 8, 3],
  ])
})
