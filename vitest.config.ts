import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longestFirst.ts'
import { softwareVulkanEnvironment } from './test/support/softwareVulkan.ts'

// The dynamic linker reads it when a process starts, so it is set here for the processes that tests run in.
Object.assign(process.env, softwareVulkanEnvironment())
// As headlight itself does, see src/cli/main.ts.
process.env['ORT_DISABLE_TELEMETRY'] = '1'

const root = fileURLToPath(new URL('.', import.meta.url))
const files = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => `test/${path}`)
/**
 * What changes something that a whole process has, or depends on it: spies and clocks of vitest, the environment, children
 * (their number, and the memory), the backend of TensorFlow.js, the native library of an engine. Such a file has a process
 * of its own. All others follow each other in few processes, where each module is read once instead of once per file: that
 * is a third of the work of all tests.
 */
const needsOwnProcess = /\bvi\b|process\.|child_process|startHeadlight|playwright|useAppInBrowser|describeEngine|tfjs/
const alone = files.filter((path) => needsOwnProcess.test(readFileSync(root + path, 'utf8')))

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'alone', include: alone } },
      {
        extends: true,
        test: { name: 'together', include: files.filter((path) => !alone.includes(path)), isolate: false },
      },
    ],
    sequence: { sequencer: LongestFirst },
    // They end what hangs. A laden machine takes three times as long, and the slowest tests half a minute on an idle one.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // The one second of the library is short for a loaded machine; a condition that comes true costs no more for it.
    expect: { poll: { timeout: 20_000 } },
    // Two cores, and tests that wait for other processes half of their time.
    maxWorkers: 3,
  },
})
