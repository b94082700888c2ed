import { expect, it } from 'vitest'
import { ProgressReport } from '../../src/producer/progress.ts'

it('counts a shard once whose end was not heard, as it was committed while Redis was away', () => {
  const progress = new ProgressReport(() => undefined)
  const [first, second] = [
    { part: 0, offset: 0 },
    { part: 0, offset: 8 },
  ]
  progress.shardAdvanced(first, { computed: 5, failed: 1 })
  progress.shardAdvanced(second, { computed: 2, failed: 0 })
  expect(progress.current).toMatchObject({ computed: 7, failed: 1 })
  progress.committed({ samplesDone: 8, isDone: (shard) => shard.offset === 0 })
  progress.stop()
  expect(progress.current.computed).toBe(10)
})
