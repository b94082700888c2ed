import { expect, test } from 'vitest'
import { processorFeatures } from '../../src/machine/processor.ts'

const described = (line: string) => () => `processor\t: 0\n${line}\n\nprocessor\t: 1\n${line}\n`

test('what a processor can do is the same in whatever order it is told', () => {
  expect(processorFeatures(described('flags\t\t: sse2 avx2 avx'), 'x64')).toBe('avx avx2 sse2')
  expect(processorFeatures(described('flags\t\t: avx avx2 sse2 '), 'x64')).toBe('avx avx2 sse2')
  expect(processorFeatures(described('flags\t\t: avx avx2 avx512f sse2'), 'x64')).not.toBe('avx avx2 sse2')
  expect(processorFeatures(described('Features\t: fp asimd'), 'arm64')).toBe('asimd fp')
})

test('of a processor that is too old, or not told of, nothing is known', () => {
  expect(processorFeatures(described('flags\t\t: sse2'), 'x64')).toBeNull()
  expect(processorFeatures(() => '', 'x64')).toBeNull()
  expect(processorFeatures(() => '', 'arm64')).toBeNull()
})

test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'this one is known (skipped elsewhere than on Linux on x64)',
  () => {
    expect(processorFeatures()).toContain('avx')
  },
)
