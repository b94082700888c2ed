import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { benchCosts } from './costs/costs.ts'
import { benchEngine } from './engine.ts'
import { benchEngines } from './engines.ts'
import { benchExported } from './exported.ts'
import { makeBundle } from './gpu/bundle.ts'
import { benchGpu } from './gpu/gpu.ts'
import { UsageError, withUsage } from './gpu/usage.ts'
import { machine } from './measure.ts'
import { benchNetwork } from './network.ts'
import { benchNetworks } from './networks.ts'
import { benchExplain, benchPipeline } from './pipeline.ts'
import { benchQueueMemory } from './queueMemory.ts'
import { checkScale } from './scale/check.ts'
import { scaleCurves } from './scale/curves.ts'
import { benchServe } from './serve/serve.ts'

/**
 * `npm run bench [-- engine pipeline …]`: tables of ratios taken in one run; absolute times drift between machines.
 * `npm run bench -- gpu`, `gpu-bundle` and `serve` are commands of their own, with options.
 */
const sections: Readonly<Record<string, () => Promise<string>>> = {
  engine: async () => {
    const { path, network } = benchNetwork()
    return benchEngine(network, path)
  },
  engines: benchEngines,
  networks: benchNetworks,
  exported: benchExported,
  pipeline: async () => benchPipeline(benchNetwork().path),
  explain: async () => benchExplain(benchNetwork().path),
  // A quarter of an hour.
  costs: async () => benchCosts(benchNetwork().path),
  // In a process of its own: what is asked for is that process's memory.
  producer: async () => {
    const script = fileURLToPath(new URL('./producerMemory.ts', import.meta.url))
    return `producer, one million keys\n${execFileSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' })}`
  },
  // Half an hour.
  bookkeeping: async () => {
    const script = fileURLToPath(new URL('./producerMemory.ts', import.meta.url))
    const keys = 10_000_000
    const listed = execFileSync(process.execPath, ['--import', 'tsx', script, `${keys}`])
    return `bookkeeping, ten million keys\n${listed.toString()}${await benchQueueMemory(keys)}`
  },
  // Draws docs/scaling.svg.
  scale: async () => scaleCurves(),
  'scale-check': async () => checkScale(),
}

/** Only when they are asked for: they take long, or write into the repository. */
const onDemand = ['costs', 'exported', 'bookkeeping', 'scale', 'scale-check']

const [first, ...rest] = process.argv.slice(2)
if (first === 'gpu') process.exitCode = await withUsage(() => benchGpu(rest))
else if (first === 'gpu-bundle') process.exitCode = await withUsage(() => makeBundle(rest))
else if (first === 'serve') process.exitCode = await withUsage(() => benchServe(rest))
else process.exitCode = await withUsage(() => printTables(process.argv.slice(2)))

async function printTables(asked: readonly string[]): Promise<number> {
  const unknown = asked.find((name) => !(name in sections))
  if (unknown !== undefined) {
    const all = [...Object.keys(sections), 'gpu', 'gpu-bundle', 'serve']
    throw new UsageError(`there is no bench ${unknown}: ${all.join(', ')}`)
  }
  console.log(machine())
  for (const [name, run] of Object.entries(sections)) {
    if (asked.length > 0 ? !asked.includes(name) : onDemand.includes(name)) continue
    console.log(`\n${await run()}`)
  }
  return 0
}
