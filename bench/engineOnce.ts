import { homedir } from 'node:os'
import { join } from 'node:path'
import { findEngine } from '../src/saliency/engines/openEngine.ts'
import { buildProgram } from '../src/saliency/program.ts'
import { programNames } from '../src/saliency/programNames.ts'
import { benchNetwork } from './network.ts'

// A process that measures one engine: `engineOnce.ts <engine> <batch>` prints ms per image and its peak memory in MB.

const [engine = '', batchText = '1'] = process.argv.slice(2)
const batch = Number(batchText)
const data = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share')
const enginesFolder = process.env['HEADLIGHT_ENGINES_FOLDER'] ?? join(data, 'headlight', 'engines')
const minimumMs = 3_000

const { network } = benchNetwork()
const options = { objectives: ['sum'], scope: 'all', style: 'origin', gradients: false, batch } as const
const open = await findEngine(engine, enginesFolder)
const executor = await open(buildProgram(network, options), { intraOpThreads: 2 })
const { width, height } = network.description.input
const pixels = Uint8Array.from({ length: batch * width * height * 3 }, (_, i) => (i * 7919) % 256)
const inputs = new Map([[programNames.pixels, pixels]])
await executor.run(inputs)
const start = performance.now()
let calls = 0
do {
  await executor.run(inputs)
  calls++
} while (performance.now() - start < minimumMs)
const msPerImage = (performance.now() - start) / calls / batch
process.stdout.write(`${msPerImage} ${process.resourceUsage().maxRSS / 1024}\n`, () => process.exit(0))
