import { benchGpu } from './gpu.ts'

// Where a bundle starts.
process.exitCode = await benchGpu(process.argv.slice(2))
