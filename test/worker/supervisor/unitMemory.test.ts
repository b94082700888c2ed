import { expect, test } from 'vitest'
import type { OpenedNetwork } from '../../../src/worker/networkMemory.ts'
import { UnitMemory, type UnitMemoryOptions } from '../../../src/worker/supervisor/unitMemory.ts'

/** Reckoned at 3 GB. */
const vgg: OpenedNetwork = { key: 'vgg', file: 'vgg.pkl', fileBytes: 540e6 }
const other: OpenedNetwork = { ...vgg, key: 'other', file: 'other.pkl' }
/** Reckoned at 700 MB. */
const tiny: OpenedNetwork = { key: 'tiny', file: 'tiny.pkl', fileBytes: 1e6 }

function world(options: Partial<UnitMemoryOptions> = {}) {
  const units: number[] = []
  const said: string[] = []
  const opened: string[] = []
  const memory = new UnitMemory<{ name: string }>({
    availableBytes: 15.2e9,
    units: 16,
    mostUnits: 16,
    isGiven: false,
    remembered: new Map(),
    onUnits: (count) => units.push(count),
    say: (level, sentence) => said.push(`${level}: ${sentence}`),
    ...options,
  })
  const all = Array.from({ length: 16 }, (_, index) => ({ name: String(index) }))
  const unit = (index: number) => all[index] ?? { name: '' }
  const ask = (index: number, network: OpenedNetwork) =>
    memory.ask(unit(index), network, () => opened.push(`${index} ${network.key}`))
  return { memory, units, said, opened, unit, ask }
}

test('where all fit as they are reckoned, all open at once', () => {
  const { ask, opened, said } = world()
  for (const index of [0, 1, 2]) ask(index, tiny)
  expect(opened).toEqual(['0 tiny', '1 tiny', '2 tiny'])
  expect(said).toEqual([])
})

test('else one opens first and is measured; then as many as fit go on, and that is said once', () => {
  const { memory, ask, opened, units, said, unit } = world()
  for (const index of [0, 1, 2]) ask(index, vgg)
  expect(opened).toEqual(['0 vgg'])
  memory.gone(unit(2))
  memory.measured('vgg', 2.1e9, true)
  expect(units).toEqual([7])
  expect(opened).toEqual(['0 vgg', '1 vgg'])
  ask(3, vgg)
  memory.measured('vgg', 2.11e9, true)
  expect(opened).toEqual(['0 vgg', '1 vgg', '3 vgg'])
  expect(said).toEqual(['warn: a unit takes 2.1 GB for vgg.pkl: 7 units instead of 16, since 15.2 GB are free'])
})

test('units that are dismissed for it are not let on', () => {
  const dismissed: number[] = []
  const { memory, ask, opened, unit } = world({
    onUnits: () => {
      for (const index of [1, 2]) {
        dismissed.push(index)
        memory.gone(unit(index))
      }
    },
  })
  for (const index of [0, 1, 2, 3]) ask(index, vgg)
  memory.measured('vgg', 2.1e9, true)
  expect(dismissed).toEqual([1, 2])
  expect(opened).toEqual(['0 vgg', '3 vgg'])
})

test('another one is on trial when the first dies, or cannot open it', () => {
  const { memory, ask, opened, unit } = world()
  for (const index of [0, 1, 2]) ask(index, vgg)
  memory.gone(unit(0))
  expect(opened).toEqual(['0 vgg', '1 vgg'])
  memory.closed(unit(1), 'vgg')
  expect(opened).toEqual(['0 vgg', '1 vgg', '2 vgg'])
})

test('a network that fits waits for none that is on trial; one that may not fit does', () => {
  const { memory, ask, opened } = world()
  ask(0, vgg)
  ask(1, { ...vgg, key: 'other' })
  ask(2, tiny)
  expect(opened).toEqual(['0 vgg', '2 tiny'])
  memory.measured('vgg', 900e6, true)
  expect(opened).toEqual(['0 vgg', '2 tiny', '1 other'])
})

test('what an earlier run measured needs no trial', () => {
  const { ask, opened, units } = world({ remembered: new Map([['vgg', 2.1e9]]) })
  for (const index of [0, 1]) ask(index, vgg)
  expect(units).toEqual([7])
  expect(opened).toEqual(['0 vgg', '1 vgg'])
})

test('a new measurement counts more than an old one, and a larger one more than a smaller', () => {
  const { memory, ask, units } = world({ remembered: new Map([['vgg', 2.1e9]]) })
  ask(0, vgg)
  expect(memory.measured('vgg', 1.5e9, true)).toBe(true)
  expect(memory.measured('vgg', 1.0e9, true)).toBe(false)
  expect(memory.measured('vgg', 1.55e9, true)).toBe(false)
  expect(memory.measured('vgg', 3e9, true)).toBe(true)
  expect(units).toEqual([7, 10, 5])
})

test('a network that takes little brings as many units as there may be', () => {
  const { memory, ask, units, said } = world({ availableBytes: 1e9, units: 1, mostUnits: 4 })
  ask(0, tiny)
  memory.measured('tiny', 200e6, true)
  expect(units).toEqual([4])
  expect(said).toEqual(['info: a unit takes 200 MB for tiny.pkl: 4 units instead of 1, since 1.0 GB are free'])
})

test('the largest network that is open counts, and no longer than that', () => {
  const { memory, ask, units, unit } = world()
  ask(0, vgg)
  memory.measured('vgg', 2.1e9, true)
  ask(1, tiny)
  memory.measured('tiny', 600e6, true)
  expect(units).toEqual([7])
  expect(memory.isHolding(unit(0))).toBe(true)
  memory.closed(unit(0), 'vgg')
  expect(units).toEqual([7, 16])
  expect(memory.isHolding(unit(0))).toBe(false)
  memory.gone(unit(1))
  expect(memory.isHolding(unit(1))).toBe(false)
})

test('what a unit takes that has opened another network before counts only where nothing better is known', () => {
  const { memory, ask, units } = world({ remembered: new Map([['tiny', 600e6]]) })
  ask(0, vgg)
  expect(memory.measured('vgg', 2.1e9, false)).toBe(true)
  ask(1, tiny)
  expect(memory.measured('tiny', 3e9, false)).toBe(false)
  expect(units).toEqual([7])
  expect(memory.measured('vgg', 1.9e9, true)).toBe(true)
  expect(units).toEqual([7, 8])
})

test('one on trial does not keep its own unit from opening another: its first batch may have to wait for that', () => {
  const { memory, ask, opened } = world({ availableBytes: 2e9, units: 2 })
  ask(0, vgg)
  ask(1, vgg)
  ask(0, other)
  expect(opened).toEqual(['0 vgg', '0 other'])
  // What is known to fit waits for nobody.
  memory.measured('vgg', 1e9, true)
  expect(opened).toEqual(['0 vgg', '0 other', '1 vgg'])
})

test('a network that serves two result sets of a unit is held until both have given it back', () => {
  const { memory, ask, unit } = world()
  ask(0, tiny)
  ask(0, tiny)
  memory.closed(unit(0), 'tiny')
  expect(memory.isHolding(unit(0))).toBe(true)
  memory.closed(unit(0), 'tiny')
  expect(memory.isHolding(unit(0))).toBe(false)
})

test('there is always one, though it may not fit, which is said', () => {
  const { memory, ask, units, said } = world({ availableBytes: 2e9, units: 2 })
  ask(0, vgg)
  memory.measured('vgg', 2.1e9, true)
  expect(units).toEqual([1])
  expect(said).toEqual([
    'warn: a unit takes 2.1 GB for vgg.pkl: even one is more than fits, since 2.0 GB are free',
    'warn: a unit takes 2.1 GB for vgg.pkl: 1 unit instead of 2, since 2.0 GB are free',
  ])
})

test('a number that was asked for stays, and none waits; what does not fit is said once', () => {
  const { memory, ask, opened, units, said } = world({ isGiven: true })
  for (const index of [0, 1]) ask(index, vgg)
  expect(opened).toEqual(['0 vgg', '1 vgg'])
  memory.measured('vgg', 2.1e9, true)
  memory.measured('vgg', 2.4e9, true)
  expect(units).toEqual([])
  expect(said).toEqual(['warn: a unit takes 2.1 GB for vgg.pkl: --units 16 is more than fits, since 15.2 GB are free'])
})
