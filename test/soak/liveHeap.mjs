// Loaded into every process of a soak with --live-heap: writes again and again what JavaScript holds after everything that
// can be collected has been, as MB, into a file named after the process. Resident memory alone cannot tell a leak from
// garbage that V8 is in no hurry to collect.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

const everyMs = 10_000
const folder = process.env.HEADLIGHT_LIVE_HEAPS

if (folder !== undefined && isMainThread) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  setInterval(() => {
    collect()
    writeFileSync(join(folder, String(process.pid)), String(process.memoryUsage().heapUsed / 2 ** 20))
  }, everyMs).unref()
}
