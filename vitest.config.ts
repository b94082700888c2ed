import { defineConfig } from 'vitest/config'
import { softwareVulkanEnvironment } from './test/support/softwareVulkan.ts'

// The dynamic linker reads it when a process starts, so it is set here for the processes that tests run in.
Object.assign(process.env, softwareVulkanEnvironment())
// As headlight itself does, see src/cli/main.ts.
process.env['ORT_DISABLE_TELEMETRY'] = '1'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They end what hangs. A laden machine takes three times as long, and the slowest tests half a minute on an idle one.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // The one second of the library is short for a loaded machine; a condition that comes true costs no more for it.
    expect: { poll: { timeout: 20_000 } },
    // Two cores: more workers than cores only makes the numeric tests wait for each other.
    maxWorkers: 2,
  },
})
