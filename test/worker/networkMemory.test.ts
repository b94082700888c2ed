import { expect, test } from 'vitest'
import { fittingUnits, memoryText, networkMemoryKey, reckonedBytes } from '../../src/worker/networkMemory.ts'
import { resultSet } from '../support/shard.ts'

test('a key holds whatever changes how much memory a network takes, and the engine by its whole name', () => {
  const set = resultSet('file:///images/')
  const key = networkMemoryKey({ set, engine: 'onnxruntime', batch: null })
  expect(networkMemoryKey({ set, engine: 'onnxruntime:cpu', batch: null })).toBe(key)
  const others = [
    networkMemoryKey({ set, engine: 'reference', batch: null }),
    networkMemoryKey({ set, engine: 'onnxruntime', batch: 4 }),
    networkMemoryKey({ set: resultSet('', { objectives: ['sum'] }), engine: 'onnxruntime', batch: null }),
    networkMemoryKey({
      set: { ...set, network: { ...set.network, digest: '1'.repeat(64) } },
      engine: 'onnxruntime',
      batch: null,
    }),
  ]
  expect(new Set([key, ...others]).size).toBe(5)
})

test('weights in a second file are a network of their own', () => {
  const { network, ...rest } = resultSet('file:///images/')
  const keyOf = (digest: string) =>
    networkMemoryKey({
      set: { ...rest, network: { ...network, externalData: { file: 'tiny.data', digest } } },
      engine: 'onnxruntime',
      batch: null,
    })
  expect(keyOf('1'.repeat(64))).toContain(`${network.digest} ${'1'.repeat(64)} `)
  expect(keyOf('1'.repeat(64))).not.toBe(keyOf('2'.repeat(64)))
})

test('a network that nobody has measured is reckoned by its file, at what a DenseNet-121 takes at least', () => {
  expect(reckonedBytes(30e6)).toBe(700e6)
  // A ResNet-152, which took 2.0 GB.
  expect(reckonedBytes(235e6)).toBe(2.03e9)
})

test('as many units as the memory holds, at least one and at most what there may be', () => {
  expect(fittingUnits(15.2e9, 2.1e9, 16)).toBe(7)
  expect(fittingUnits(15.2e9, 0.1e9, 16)).toBe(16)
  expect(fittingUnits(1e9, 2.1e9, 16)).toBe(1)
})

test('memory is told in the unit that says most', () => {
  expect([612_400_000, 999_600_000, 2_130_000_000].map(memoryText)).toEqual(['612 MB', '1.0 GB', '2.1 GB'])
})
