import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { alternate, median, table, type Contender } from './measure.ts'
import { tunedContender } from './origin.ts'

const script = fileURLToPath(new URL('./engineOnce.ts', import.meta.url))
const contenders = [
  ['onnxruntime:cpu', 1],
  ['onnxruntime:cpu', 8],
  ['tfjs:tensorflow', 1],
  ['tfjs:tensorflow', 8],
  ['tfjs:wasm', 1],
] as const
const rounds = 2

/** Every engine that computes here, each alone in a process with two threads, in turn with tuned eager PyTorch. */
export async function benchEngines(): Promise<string> {
  const peaks = new Map<string, number>()
  const engines = contenders.flatMap(([engine, batch]): Contender[] => {
    const name = `${engine}, batch ${batch}`
    const measure = (): number => {
      const run = spawnSync(process.execPath, ['--import', 'tsx', script, engine, String(batch)], { encoding: 'utf8' })
      const [msPerImage = NaN, peakMb = NaN] = run.stdout.trim().split(' ').map(Number)
      if (run.status !== 0) throw new Error(run.stderr)
      peaks.set(name, Math.max(peaks.get(name) ?? 0, peakMb))
      return msPerImage
    }
    try {
      measure()
    } catch (error) {
      console.error(
        `${name} is not measured: ${
          String(error)
            .split('\n')
            .find((line) => line.includes('Error')) ?? ''
        }`,
      )
      return []
    }
    return [{ name, measure: () => Promise.resolve(measure()) }]
  })
  const figures = await alternate([...engines, ...tunedContender(8)], rounds)
  const tuned = [...figures].find(([name]) => name.startsWith('PyTorch'))?.[1]
  const rows = [...figures].map(([name, values]) => {
    const ratio = tuned === undefined ? '' : (median(values) / median(tuned)).toFixed(2)
    return [name, median(values).toFixed(1), ratio, (peaks.get(name) ?? NaN).toFixed(0)]
  })
  return `engines, two threads each\n${table([['engine', 'ms/image', '÷ tuned PyTorch', 'peak MB'], ...rows])}`
}
