import { expect, it } from 'vitest'
import type { Pose } from '../../src/pose/euler.ts'
import { rankReadings } from '../../src/pose/readings.ts'

/** Spread over the angles without a common pattern; `noise` degrees of error, the same every time. */
const poses = (count: number): Pose[] =>
  Array.from({ length: count }, (_, n) => ({
    yaw: ((n * 37) % 121) - 60,
    pitch: ((n * 53) % 81) - 40,
    roll: ((n * 71) % 61) - 30,
  }))
const noisy = ({ yaw, pitch, roll }: Pose, n: number): Pose => ({
  yaw: yaw + ((n * 13) % 9) - 4,
  pitch: pitch + ((n * 17) % 9) - 4,
  roll: roll + ((n * 19) % 9) - 4,
})

it('finds the order and signs in which labels were written', () => {
  const pairs = poses(60).map((pose, n) => ({
    estimate: noisy(pose, n),
    label: { yaw: pose.roll, pitch: -pose.yaw, roll: pose.pitch },
  }))
  const { better, given, readings, telling, n } = rankReadings(pairs)
  expect(readings.length).toBe(48)
  expect(new Set(readings.map(({ order, signs }) => `${order.join()}${signs.join()}`)).size).toBe(48)
  expect({ telling, n }).toEqual({ telling: true, n: 60 })
  expect(better).toMatchObject({ order: ['pitch', 'roll', 'yaw'], signs: [-1, 1, 1] })
  expect(better?.mae.mean).toBeLessThan(3)
  expect(given).toMatchObject({ order: ['yaw', 'pitch', 'roll'], signs: [1, 1, 1] })
  expect(given.mae.mean).toBeGreaterThan(10)
  expect(better).toBe(readings[0])
})

it('has nothing to say against labels that fit', () => {
  const { better, given, readings } = rankReadings(
    poses(60).map((pose, n) => ({ estimate: noisy(pose, n), label: pose })),
  )
  expect(better).toBeNull()
  expect(readings[0]).toBe(given)
})

it('prefers the given reading where another is as good', () => {
  const pairs = poses(20).map(({ yaw }) => ({
    estimate: { yaw, pitch: 0, roll: 0 },
    label: { yaw, pitch: 0, roll: 0 },
  }))
  const { better, given, readings } = rankReadings(pairs)
  expect([readings[0], better]).toEqual([given, null])
})

it('needs more than a few samples', () => {
  const pairs = poses(5).map((pose) => ({ estimate: pose, label: { ...pose, yaw: -pose.yaw } }))
  expect(rankReadings(pairs).better).toBeNull()
})

it('does not trust a network that a constant beats', () => {
  const pairs = poses(80).map((label, n) => ({ estimate: { yaw: ((n * 29) % 41) - 20, pitch: 3, roll: -2 }, label }))
  const { better, telling, constant } = rankReadings(pairs)
  expect({ better, telling }).toEqual({ better: null, telling: false })
  expect(constant).toBeGreaterThan(15)
})

it('compares angles round the circle', () => {
  const pairs = poses(20).map((pose) => ({ estimate: { ...pose, yaw: 179 }, label: { ...pose, yaw: -179 } }))
  expect(rankReadings(pairs).given.mae.yaw).toBeCloseTo(2)
})
