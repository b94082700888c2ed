import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { benchCosts } from './costs/costs.ts'
import { benchEngine } from './engine.ts'
import { benchEngines } from './engines.ts'
import { benchExported } from './exported.ts'
import { UsageError } from './gpu/usage.ts'
import { machine } from './measure.ts'
import { benchNetwork } from './network.ts'
import { benchNetworks } from './networks.ts'
import { benchExplain, benchPipeline } from './pipeline.ts'
import { benchQueueMemory } from './queueMemory.ts'
import { benchRoundTrips } from './roundTrips.ts'
import { checkScale } from './scale/check.ts'
import { scaleCurves } from './scale/curves.ts'

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
  'round-trips': async () => benchRoundTrips(benchNetwork().path),
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

/** The tables that are asked for, or those that take no long time. */
export async function printTables(asked: readonly string[], commands: readonly string[]): Promise<number> {
  const unknown = asked.find((name) => !(name in sections))
  if (unknown !== undefined) {
    const all = [...Object.keys(sections), ...commands]
    throw new UsageError(`there is no bench ${unknown}: ${all.join(', ')}`)
  }
  console.log(machine())
  for (const [name, run] of Object.entries(sections)) {
    if (asked.length > 0 ? !asked.includes(name) : onDemand.includes(name)) continue
    console.log(`\n${await run()}`)
  }
  return 0
}
