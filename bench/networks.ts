import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { loadNetwork } from '../src/saliency/networks/load.ts'
import { loopContender, operationsOf } from './engine.ts'
import { alternate, median, table, type Contender } from './measure.ts'
import { scriptContender } from './origin.ts'
import { syntheticNetwork, syntheticNetworks, type SyntheticNetwork } from './syntheticNetworks.ts'

const rounds = Number(process.env.HEADLIGHT_BENCH_ROUNDS ?? 5)
const cores = availableParallelism()

/** ms per image of the networks that people have, beside their convolutions alone and the origin's way. */
export async function benchNetworks(): Promise<string> {
  const rows: string[][] = []
  for (const name of syntheticNetworks) rows.push(await benchOne(name))
  return table([
    ['network', 'ms/image', 'of its convolutions', 'GFLOP', 'PyTorch ms', '÷ PyTorch', 'of the rounds'],
    ...rows,
  ])
}

async function benchOne(name: SyntheticNetwork): Promise<string[]> {
  const path = syntheticNetwork(name)
  const units = `${name}, ${cores} units × 1 thread`
  const alone = `${name}, its convolutions alone`
  const script = `${name}, the origin's way in PyTorch`
  const contenders: Contender[] = [
    loopContender(units, path, { kind: 'explain', batch: 1, threads: 1 }, cores),
    loopContender(alone, path, { kind: 'convolutions', batch: 1, threads: 1 }, cores),
    ...scriptContender(script, 'networks.py', [name]),
  ]
  const figures = await alternate(contenders, rounds)
  const of = (contender: string): number[] => figures.get(contender) ?? []
  // Of each round by itself: a machine that is busy for a while is busy for all three.
  const quotients = (above: string, below: string): number[] =>
    of(above).map((value, round) => value / (of(below)[round] ?? NaN))
  const shares = quotients(alone, units)
  const ratios = quotients(units, script)
  const measured = ratios.some(Number.isFinite)
  return [
    name,
    median(of(units)).toFixed(1),
    `${(median(shares) * 100).toFixed(0)} %`,
    (operationsOf(loadNetwork(readFileSync(path), basename(path))) / 1e9).toFixed(1),
    measured ? median(of(script)).toFixed(0) : '',
    measured ? median(ratios).toFixed(2) : '',
    measured ? `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}` : '',
  ]
}
