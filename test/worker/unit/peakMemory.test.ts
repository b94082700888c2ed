import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { peakMemoryBytes } from '../../../src/worker/unit/peakMemory.ts'

const module = JSON.stringify(new URL('../../../dist/worker/unit/peakMemory.js', import.meta.url).href)

test('memory that was given back counts, and that of the parent does not', async () => {
  const before = peakMemoryBytes()
  const large = Buffer.alloc(before, 1)
  expect(peakMemoryBytes()).toBeGreaterThan(1.5 * before)
  expect(large.at(-1)).toBe(1)
  const script = `import(${module}).then(({ peakMemoryBytes }) => process.stdout.write(String(peakMemoryBytes())))`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script])
  expect(Number(stdout)).toBeGreaterThan(20e6)
  expect(Number(stdout)).toBeLessThan(before)
})
