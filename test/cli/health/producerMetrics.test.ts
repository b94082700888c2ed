import { expect, it } from 'vitest'
import { ProducerMetrics } from '../../../src/cli/health/producerMetrics.ts'
import { emptySummary } from '../../support/emptySummary.ts'

const lines = async (metrics: ProducerMetrics) =>
  (await metrics.all.text()).split('\n').filter((line) => line.startsWith('headlight_last_run'))

const counts = { ...emptySummary.counts, computed: 5 }
const median = { yaw: 9, pitch: 9, roll: 9, mean: 9 }

it("shows what each schedule's last run says of its own images, and forgets what the next does not say", async () => {
  const metrics = new ProducerMetrics('1')
  const mae = { yaw: 1, pitch: 2, roll: 6, mean: 3 }
  const errors = { n: 3, excluded: 0, median, geodesicMean: 1 }
  const own = { n: 5, mae, bias: null, errors, failures: { 'corrupt-image': 1, vanished: 1 } }
  metrics.look([], true, new Map([['nightly', { counts, thisRun: own }]]))
  expect(await lines(metrics)).toEqual([
    'headlight_last_run_images{schedule="nightly"} 5',
    'headlight_last_run_labelled_images{schedule="nightly"} 3',
    'headlight_last_run_error_degrees{schedule="nightly",angle="yaw"} 1',
    'headlight_last_run_error_degrees{schedule="nightly",angle="pitch"} 2',
    'headlight_last_run_error_degrees{schedule="nightly",angle="roll"} 6',
    'headlight_last_run_error_degrees{schedule="nightly",angle="mean"} 3',
    'headlight_last_run_failed_images{schedule="nightly",code="corrupt-image"} 1',
    'headlight_last_run_failed_images{schedule="nightly",code="vanished"} 1',
  ])
  metrics.look(null, false, new Map())
  expect(await lines(metrics)).toHaveLength(8)
  metrics.look([], true, new Map([['nightly', { counts: emptySummary.counts }]]))
  expect(await lines(metrics)).toEqual(['headlight_last_run_images{schedule="nightly"} 0'])
})

it('shows the angles that the network gives', async () => {
  const metrics = new ProducerMetrics('1')
  const figures = { n: 2, excluded: 0, mae: { yaw: 4 }, median: { yaw: 4 }, bias: { yaw: 1 } }
  const own = { n: 5, mae: null, bias: null, errors: null, partialErrors: figures, failures: {} }
  metrics.look([], true, new Map([['weekly', { counts, thisRun: own }]]))
  expect(await lines(metrics)).toEqual([
    'headlight_last_run_images{schedule="weekly"} 5',
    'headlight_last_run_labelled_images{schedule="weekly"} 2',
    'headlight_last_run_error_degrees{schedule="weekly",angle="yaw"} 4',
  ])
})
