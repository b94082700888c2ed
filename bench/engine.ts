import { fork, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { topological, type Node } from '../src/saliency/graph.ts'
import type { Network } from '../src/saliency/networks/network.ts'
import { inputAt } from '../src/saliency/ops.ts'
import { buildProgram } from '../src/saliency/program.ts'
import type { LoopRequest } from './engineLoop.ts'
import { alternate, median, table, type Contender } from './measure.ts'
import { originContender } from './origin.ts'

const rounds = Number(process.env.HEADLIGHT_BENCH_ROUNDS ?? 5)
const cores = availableParallelism()
/** As headlight starts its units, see src/cli/main.ts. */
const env = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...process.env }
const loopProgram = fileURLToPath(new URL('./engineLoop.ts', import.meta.url))

/** ms per image of the engine in several arrangements, beside what its convolutions take alone and the origin's way. */
export async function benchEngine(network: Network, path: string): Promise<string> {
  const units = `${cores} units × 1 thread, batch 1`
  const alone = 'its convolutions alone, all units'
  const contenders: Contender[] = [
    loopContender(units, path, { kind: 'explain', batch: 1, threads: 1 }, cores),
    loopContender(alone, path, { kind: 'convolutions', batch: 1, threads: 1 }, cores),
    ...[1, 4, 8].map((batch) =>
      loopContender(
        `1 session × ${cores} threads, batch ${batch}`,
        path,
        { kind: 'explain', batch, threads: cores },
        1,
      ),
    ),
    loopContender('a 2048³ MatMul, all units', path, { kind: 'matmul', batch: 1, threads: 1 }, cores),
    ...originContender(),
  ]
  const figures = await alternate(contenders, rounds)
  const own = median(figures.get(units) ?? [])
  const operations = operationsOf(network)
  const rows = [...figures].map(([name, values]) => {
    const value = median(values)
    const work = name.includes('MatMul') ? 2 * 2048 ** 3 : operations
    return [
      name,
      value.toFixed(1),
      Math.min(...values).toFixed(1),
      name.includes('MatMul') ? '' : (value / own).toFixed(2),
      (work / value / 1e6).toFixed(0),
    ]
  })
  const share = median(figures.get(alone) ?? []) / own
  return [
    table([['engine', 'ms/image', 'min', '÷ units', 'GFLOP/s'], ...rows]),
    `the units reach ${(share * 100).toFixed(0)} % of the rate of their own convolutions (${(operations / 1e9).toFixed(2)} GFLOP an image)`,
  ].join('\n')
}

export function loopContender(
  name: string,
  path: string,
  request: Omit<LoopRequest, 'path'>,
  workers: number,
): Contender {
  // Opened at the first measurement and kept: all contenders stay in memory, none pays for another's start.
  let loops: ChildProcess[] | undefined
  return {
    name,
    async measure() {
      const argument = JSON.stringify({ ...request, path })
      loops ??= Array.from({ length: workers }, () =>
        fork(loopProgram, [argument], { execArgv: ['--import', 'tsx'], env }),
      )
      const figures = await Promise.all(loops.map((loop) => askLoop(loop)))
      return figures.reduce((a, b) => a + b, 0) / figures.length / workers
    },
    async close() {
      for (const loop of loops ?? []) loop.disconnect()
    },
  }
}

function askLoop(loop: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    loop.once('message', (figure) => resolve(Number(figure)))
    loop.once('exit', (code) => reject(new Error(`a measuring process ended with code ${code}`)))
    loop.send('measure')
  })
}

/** Floating-point operations of an image's convolutions, forward and backward. */
export function operationsOf(network: Network): number {
  const graph = buildProgram(network, {
    objectives: ['sum'],
    scope: 'all',
    style: 'origin',
    gradients: false,
    batch: 1,
  })
  return topological(graph.outputs.values())
    .filter((node) => node.op === 'conv' || node.op === 'convInputGradient')
    .reduce((total, node) => total + floatingPointOperations(node), 0)
}

function floatingPointOperations(node: Node): number {
  const weight = inputAt(node, 1).shape
  const spatial = node.op === 'conv' ? node.shape : inputAt(node, 0).shape
  return 2 * weight.reduce((a, b) => a * b, 1) * (spatial[2] ?? 1) * (spatial[3] ?? 1)
}
