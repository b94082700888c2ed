import { expect, it } from 'vitest'
import { WorkerState } from '../../../src/worker/supervisor/workerState.ts'

it('tells which run it leaves to others, until it has computed a shard', () => {
  const state = new WorkerState('1.2.3', 'onnxruntime:cpu')
  expect(state.heartbeat).not.toHaveProperty('leaves')
  state.heard({ type: 'refused', run: 'run-1', code: 'not-allowed', message: 'outside' })
  expect(state.heartbeat.leaves).toEqual({ run: 'run-1', code: 'not-allowed', message: 'outside' })
  state.heard({ type: 'run-fault', run: 'run-2', code: 'bad-layout', message: 'bad', attempt: 1, retryInMs: 1 })
  expect(state.heartbeat.leaves).toMatchObject({ run: 'run-2', code: 'bad-layout' })
  const result = {
    outcome: 'computed',
    computed: 1,
    failed: 0,
    engine: '',
    host: '',
    unit: '',
    wallMs: 1,
    engineMs: 1,
  } as const
  const shard = { run: 'run-3', output: 'file:///out/', set: 's', part: 0, offset: 0, count: 1 }
  state.heard({ type: 'shard', job: 'j', shard, result })
  expect(state.heartbeat).not.toHaveProperty('leaves')
})
