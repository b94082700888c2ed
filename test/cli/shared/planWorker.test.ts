import { availableParallelism } from 'node:os'
import { expect, it } from 'vitest'
import { resolveSettings } from '../../../src/cli/settings/resolveSettings.ts'
import { unitCount } from '../../../src/cli/shared/planWorker.ts'

const settings = (flags: Readonly<Record<string, string>>) => resolveSettings({ environment: {}, flags })

it('starts as many units as were asked for, else no more than there are cores', () => {
  expect(unitCount(settings({ units: '7' }))).toBe(7)
  expect(unitCount(settings({}))).toBeGreaterThanOrEqual(1)
  expect(unitCount(settings({}))).toBeLessThanOrEqual(availableParallelism())
})
