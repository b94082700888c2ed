import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { angleError, type Pose } from '../../src/pose/euler.ts'
import { geodesicError, rotationOf } from '../../src/pose/geodesic.ts'

describe('angleError', () => {
  it.each([
    [10, 4, 6],
    [4, 10, -6],
    [179, -179, -2],
    [-179, 179, 2],
    [180, 0, -180],
    [0, 180, -180],
    [-180, 180, 0],
    [90, -90, -180],
    [720, 0, 0],
    [-90.5, 269.5, 0],
    [1000, 0, -80],
  ])('from %d to a label of %d is %d', (estimate, label, error) => {
    expect(angleError(estimate, label)).toBeCloseTo(error, 12)
  })

  it('is always in [−180, 180)', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        (a, b) => {
          const error = angleError(a, b)
          expect(error).toBeGreaterThanOrEqual(-180)
          expect(error).toBeLessThan(180)
        },
      ),
    )
  })
})

const front: Pose = { yaw: 0, pitch: 0, roll: 0 }

describe('geodesicError', () => {
  it.each([
    [{ ...front, yaw: 30 }, front, 30],
    [{ ...front, pitch: -12.5 }, front, 12.5],
    [{ ...front, roll: 179 }, { ...front, roll: -179 }, 2],
    [{ ...front, yaw: 180 }, front, 180],
    [{ yaw: 40, pitch: 25, roll: -60 }, { yaw: 40, pitch: 25, roll: -10 }, 50],
    // At 90° yaw pitch and roll turn about one axis, here against each other.
    [{ yaw: 90, pitch: 10, roll: 10 }, { yaw: 90, pitch: 0, roll: 0 }, 0],
    [{ yaw: 90, pitch: 10, roll: -10 }, { yaw: 90, pitch: 0, roll: 0 }, 20],
    // Half a turn about the diagonal of two axes: a quarter turn about one after half a turn about the other.
    [{ yaw: 180, pitch: 90, roll: 0 }, front, 180],
  ])('from %j to %j is %d', (estimate, label, error) => {
    expect(geodesicError(estimate, label)).toBeCloseTo(error, 6)
    expect(geodesicError(label, estimate)).toBeCloseTo(error, 6)
  })

  it('keeps its digits for tiny angles', () => {
    expect(geodesicError({ ...front, yaw: 1e-6 }, front)).toBeCloseTo(1e-6, 14)
    expect(geodesicError({ yaw: 33, pitch: 12, roll: -71 }, { yaw: 33, pitch: 12, roll: -71 })).toBeLessThan(1e-13)
  })

  it('is a distance: symmetric, in [0, 180], and no detour is shorter', () => {
    const angle = fc.integer({ min: -180, max: 180 })
    const pose = fc.record({ yaw: angle, pitch: angle, roll: angle })
    fc.assert(
      fc.property(pose, pose, pose, (a, b, c) => {
        const direct = geodesicError(a, c)
        expect(direct).toBeGreaterThanOrEqual(0)
        expect(direct).toBeLessThanOrEqual(180)
        expect(geodesicError(c, a)).toBeCloseTo(direct, 5)
        expect(geodesicError(a, b) + geodesicError(b, c)).toBeGreaterThanOrEqual(direct - 1e-5)
      }),
    )
  })
})

describe('rotationOf', () => {
  // Two of BIWI's own matrices and the angles that the literature reads in them.
  it.each([
    [
      { yaw: -52.3757, pitch: -54.9199, roll: 41.5542 },
      [0.45684, -0.404949, -0.792031, -0.103806, 0.860022, -0.499587, 0.883471, 0.310449, 0.350856],
    ],
    [
      { yaw: 9.3275, pitch: -0.4049, roll: -6.3944 },
      [0.980639, 0.109899, 0.162077, -0.11023, 0.993882, -0.00697376, -0.161851, -0.011027, 0.986754],
    ],
  ])('of %j is BIWI’s matrix', (pose, matrix) => {
    for (const [index, value] of rotationOf(pose).flat().entries()) expect(value).toBeCloseTo(matrix[index] ?? NaN, 5)
  })

  it('turns the nose to the image’s left for +yaw and up for +pitch, with y down', () => {
    // The nose points along −z of the head, towards the camera.
    const nose = (pose: Pose) => rotationOf(pose).map((row) => -row[2])
    expect(nose({ ...front, yaw: 30 })[0]).toBeLessThan(-0.4)
    expect(nose({ ...front, pitch: 30 })[1]).toBeLessThan(-0.4)
  })

  it('turns the top of the head to the image’s right for +roll, which is clockwise', () => {
    const top = rotationOf({ ...front, roll: 30 }).map((row) => -row[1])
    expect(top[0]).toBeGreaterThan(0.4)
  })
})
