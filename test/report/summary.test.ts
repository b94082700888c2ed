import { describe, expect, it } from 'vitest'
import { angleError } from '../../src/pose/euler.ts'
import { SummaryAccumulator, type SummaryRow } from '../../src/report/summary.ts'

type Angles = readonly [number, number, number]

function okRow([yaw, pitch, roll]: Angles, label: Angles | null): SummaryRow {
  return {
    status: 'ok',
    code: null,
    message: null,
    yaw,
    pitch,
    roll,
    labelYaw: label === null ? null : label[0],
    labelPitch: label === null ? null : label[1],
    labelRoll: label === null ? null : label[2],
    errorYaw: label === null ? null : angleError(yaw, label[0]),
    errorPitch: label === null ? null : angleError(pitch, label[1]),
    errorRoll: label === null ? null : angleError(roll, label[2]),
  }
}

function failedRow(code: string): SummaryRow {
  return { ...okRow([0, 0, 0], null), status: 'failed', code, yaw: null, pitch: null, roll: null }
}

function summarise(rows: readonly SummaryRow[]) {
  const summary = new SummaryAccumulator()
  for (const row of rows) summary.addRow(row)
  return summary.finish()
}

describe('angle errors', () => {
  it('means and medians of absolute errors per angle and over the angles', () => {
    const { mae, errors } = summarise([
      okRow([1, -2, 3], [0, 0, 0]),
      okRow([-3, 4, 0], [0, 0, 0]),
      okRow([11, 10, 10], [0, 0, 0]),
    ])
    expect(mae?.yaw).toBeCloseTo(5)
    expect(mae?.pitch).toBeCloseTo(16 / 3)
    expect(mae?.roll).toBeCloseTo(13 / 3)
    expect(mae?.mean).toBeCloseTo((5 + 16 / 3 + 13 / 3) / 3)
    expect(errors).toMatchObject({ n: 3, excluded: 0, median: { yaw: 3, pitch: 4, roll: 3 } })
    // Samples' own means are 2, 7/3 and 31/3; the mean of the three medians would be 10/3.
    expect(errors?.median.mean).toBeCloseTo(7 / 3)
  })

  it('gives the bias, the mean of signed errors, over the same samples', () => {
    const { bias } = summarise([
      okRow([1, -2, 170], [0, 0, -98]),
      okRow([-3, 4, 0], [0, 0, 0]),
      okRow([50, 50, 50], [100, 0, 0]),
    ])
    expect(bias).toEqual({ yaw: expect.closeTo(-1), pitch: expect.closeTo(1), roll: expect.closeTo(-46) })
    expect(summarise([okRow([1, 2, 3], null)]).bias).toBeNull()
  })

  it('counts samples whose label cannot be used, where there are any', () => {
    const unusable = { ...okRow([1, 2, 3], null), message: 'Line 2 of the index: yaw is no number; correct it.' }
    const failed = { ...failedRow('vanished'), message: 'gone' }
    expect(summarise([unusable, failed, okRow([1, 2, 3], null)])).toMatchObject({ unusableLabels: 1, mae: null })
    expect(Object.keys(summarise([failed, okRow([1, 2, 3], null)]))).not.toContain('unusableLabels')
  })

  it('is null without labels', () => {
    expect(summarise([okRow([1, 2, 3], null)])).toMatchObject({ mae: null, errors: null })
  })

  it('are of the angles that the network gives, by themselves, where one is missing', () => {
    const withoutRoll = (estimate: Angles, label: Angles): SummaryRow => ({
      ...okRow(estimate, label),
      roll: null,
      errorRoll: null,
    })
    const summary = summarise([
      withoutRoll([1, -2, 0], [0, 0, 50]),
      withoutRoll([-4, 4, 0], [0, 0, 0]),
      withoutRoll([0, 0, 0], [0, 100, 0]),
    ])
    expect(summary).toMatchObject({ mae: null, bias: null, errors: null })
    expect(summary.partialErrors).toEqual({
      n: 2,
      excluded: 1,
      mae: { yaw: 2.5, pitch: 3 },
      median: { yaw: 2.5, pitch: 3 },
      bias: { yaw: -1.5, pitch: 1 },
    })
    expect(summarise([okRow([1, 2, 3], [0, 0, 0])])).not.toHaveProperty('partialErrors')
    // A label without one of the angles that the network gives counts for none.
    expect(summarise([{ ...okRow([1, 2, 3], [0, 0, 0]), labelRoll: null, errorRoll: null }])).not.toHaveProperty(
      'partialErrors',
    )
  })

  it('leaves labels beyond ±99° out and counts them', () => {
    const { mae, errors } = summarise([
      okRow([1, 1, 1], [0, 0, 0]),
      okRow([90, 0, 0], [99, 0, 0]),
      okRow([90, 0, 0], [99.01, 0, 0]),
      okRow([0, 0, 0], [0, -120, 0]),
    ])
    expect(errors).toMatchObject({ n: 2, excluded: 2 })
    expect(mae?.yaw).toBeCloseTo(5)
  })

  it('gives the rotation between the poses, which is not the mean of the angles', () => {
    expect(summarise([okRow([30, 0, 0], [0, 0, 0])]).errors?.geodesicMean).toBeCloseTo(30)
    // At yaw 90° pitch and roll turn about one axis: 20° each way cancel out.
    expect(summarise([okRow([90, 20, 20], [90, 0, 0])]).errors?.geodesicMean).toBeCloseTo(0, 4)
  })
})

it('counts failures by code', () => {
  expect(summarise([failedRow('vanished'), failedRow('empty-object'), failedRow('vanished')]).failures).toEqual({
    'empty-object': 1,
    vanished: 2,
  })
})
