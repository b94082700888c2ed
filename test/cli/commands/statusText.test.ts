import { expect, it } from 'vitest'
import { statusText } from '../../../src/cli/commands/status/statusText.ts'
import type { WorkerStatus } from '../../../src/queue/workerStatus.ts'

const worker: WorkerStatus = {
  host: 'node',
  pid: 7,
  version: '1.2.3',
  engine: 'onnxruntime:cpu',
  device: 'cpu',
  state: 'working',
  fault: null,
  activity: 'computing',
  units: 2,
  computed: 100,
  failed: 0,
  imagesPerSecond: 12,
  startedAt: '2026-11-24T17:00:00.000Z',
  lastSignSecondsAgo: 1,
}
const lineOf = (facts: Partial<WorkerStatus>): string => {
  const text = statusText({ at: '', output: null, sets: [], queues: [], workers: [{ ...worker, ...facts }] })
  return text.split('\n').at(1) ?? ''
}

it('says what a worker does, and of one that is silent only that', () => {
  expect(lineOf({})).toMatch(/2 × cpu +working +12(\.0)? images\/s +seen 1 s ago$/)
  expect(lineOf({ activity: 'idle', imagesPerSecond: 0 })).toMatch(/ idle +– +seen/)
  expect(lineOf({ state: 'waiting', fault: 'disk-full' })).toMatch(/ waiting: disk-full /)
  expect(lineOf({ lastSignSecondsAgo: 23 })).toMatch(/ silent: killed, or without Redis +– +seen 23 s ago$/)
})

it('says which run a worker does not take, and why: it would look idle', () => {
  const leaves = { run: 'run-1', code: 'not-allowed', message: 's3://b/out/ lies outside of what --allow lists' }
  const said = { at: '', output: null, sets: [], queues: [] }
  expect(statusText({ ...said, workers: [{ ...worker, leaves }] })).toMatch(
    /\nworker node 7 does not take shards of run run-1 \(not-allowed\): s3:\/\/b\/out\/ lies outside .*\n$/,
  )
  expect(statusText({ ...said, workers: [{ ...worker, leaves, lastSignSecondsAgo: 40 }] })).not.toContain('run-1')
})
