import { expect, it } from 'vitest'
import { wantedObjective } from '../../src/serve/wantedObjective.ts'

it('shows the objective that is asked for, else the first one', () => {
  expect(wantedObjective(['yaw', 'pitch'], 'pitch')).toBe('pitch')
  expect(wantedObjective(['yaw', 'pitch'], 'roll')).toBe('yaw')
  expect(wantedObjective(['yaw', 'pitch'], null)).toBe('yaw')
  expect(wantedObjective([], 'yaw')).toBeNull()
})
