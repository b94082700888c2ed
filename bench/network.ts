import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadNetwork } from '../src/saliency/networks/load.ts'
import type { Network } from '../src/saliency/networks/network.ts'
import { densenet121, denseNetCheckpoint } from './syntheticCheckpoint.ts'

/**
 * The network that is measured: `HEADLIGHT_BENCH_NETWORK`, or a DenseNet-121 with three 61-bin heads and random weights
 * (what the weights are does not change how long they take).
 */
export function benchNetwork(): { path: string; network: Network } {
  const given = process.env.HEADLIGHT_BENCH_NETWORK
  const path =
    given ?? fileURLToPath(new URL('../node_modules/.cache/headlight-bench/densenet121.safetensors', import.meta.url))
  if (given === undefined && !existsSync(path)) denseNetCheckpoint(path, densenet121)
  return { path, network: loadNetwork(readFileSync(path), basename(path)) }
}
