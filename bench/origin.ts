import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Contender } from './measure.ts'

const python = process.env.HEADLIGHT_BENCH_PYTHON ?? 'python3'
const script = fileURLToPath(new URL('./origin.py', import.meta.url))

/** The origin's way in PyTorch, where Python with torch is found (`HEADLIGHT_BENCH_PYTHON`, else python3); nothing elsewhere. */
export function originContender(): Contender[] {
  return [1, 8].flatMap((batch) => contender(`PyTorch, the origin's way, batch ${batch}`, [String(batch)]))
}

/** Eager PyTorch at its best: every ReLU guided, parameters frozen, channels last. */
export function tunedContender(batch: number): Contender[] {
  return contender(`PyTorch, tuned, batch ${batch}`, [String(batch), 'tuned'])
}

function contender(name: string, args: readonly string[]): Contender[] {
  const found = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0
  if (!found) {
    console.error(`PyTorch is not installed for ${python}, so this is not measured: ${name}`)
    return []
  }
  return [
    {
      name,
      async measure() {
        const run = spawnSync(python, [script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 })
        if (run.status !== 0) throw new Error(run.stderr)
        return Number(run.stdout)
      },
    },
  ]
}
