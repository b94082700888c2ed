import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { loopContender } from './engine.ts'
import { alternate, median, table } from './measure.ts'
import { benchNetwork } from './network.ts'
import { python } from './origin.ts'
import { syntheticNetwork } from './syntheticNetworks.ts'

const rounds = Number(process.env.HEADLIGHT_BENCH_ROUNDS ?? 5)
const cores = availableParallelism()

/** ms per image of one network from a checkpoint and as PyTorch exports it. Needs torch, onnx and onnxscript. */
export async function benchExported(): Promise<string> {
  const native = { 'ResNet-18': syntheticNetwork('ResNet-18'), 'DenseNet-121': benchNetwork().path }
  const rows: string[][] = []
  for (const [name, path] of Object.entries(native)) {
    const file = exported(name)
    if (file === undefined) continue
    const [fromCheckpoint, fromOnnx] = [`${name} from a checkpoint`, `${name} from ONNX`]
    const request = { kind: 'explain', batch: 1, threads: 1 } as const
    const figures = await alternate(
      [loopContender(fromCheckpoint, path, request, cores), loopContender(fromOnnx, file, request, cores)],
      rounds,
    )
    const [below = [], above = []] = [figures.get(fromCheckpoint), figures.get(fromOnnx)]
    const ratios = above.map((value, round) => value / (below[round] ?? NaN))
    rows.push([
      name,
      median(below).toFixed(1),
      median(above).toFixed(1),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    ])
  }
  return table([['network', 'checkpoint, ms/image', 'ONNX, ms/image', 'ONNX ÷ checkpoint', 'of the rounds'], ...rows])
}

/** The path of the exported file, which is written at the first call; undefined where Python cannot export. */
function exported(name: string): string | undefined {
  const folder = new URL('../node_modules/.cache/headlight-bench/', import.meta.url)
  const path = fileURLToPath(new URL(`${name.toLowerCase()}.onnx`, folder))
  if (existsSync(path)) return path
  const script = fileURLToPath(new URL('./exported.py', import.meta.url))
  const run = spawnSync(python, [script, name, path], { encoding: 'utf8' })
  if (run.status === 0) return path
  console.error(
    `${python} cannot export ${name}, which needs torch, onnx and onnxscript: ${run.stderr.trim().split('\n').at(-1)}`,
  )
  return undefined
}
