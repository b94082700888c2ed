import { benchGpu } from './gpu.ts'
import { withUsage } from './usage.ts'

// Where a bundle starts.
process.exitCode = await withUsage(() => benchGpu(process.argv.slice(2)))
