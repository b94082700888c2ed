import { benchEngine } from './engine.ts'
import { benchExplain, benchPipeline } from './pipeline.ts'
import { machine } from './measure.ts'
import { benchNetwork } from './network.ts'

/** `npm run bench [-- engine pipeline …]`: tables of ratios taken in one run; absolute times drift between machines. */
const sections: Readonly<Record<string, () => Promise<string>>> = {
  engine: async () => {
    const { path, network } = benchNetwork()
    return benchEngine(network, path)
  },
  pipeline: async () => benchPipeline(benchNetwork().path),
  explain: async () => benchExplain(benchNetwork().path),
}

const asked = process.argv.slice(2)
console.log(machine())
for (const [name, run] of Object.entries(sections)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  console.log(`\n${await run()}`)
}
