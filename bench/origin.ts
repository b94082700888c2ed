import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Contender } from './measure.ts'

/** `HEADLIGHT_BENCH_PYTHON`, else python3. */
export const python = process.env.HEADLIGHT_BENCH_PYTHON ?? 'python3'

/** The origin's way in PyTorch, where Python with torch is found (`HEADLIGHT_BENCH_PYTHON`, else python3); nothing elsewhere. */
export function originContender(): Contender[] {
  return [1, 8].flatMap((batch) =>
    scriptContender(`PyTorch, the origin's way, batch ${batch}`, 'origin.py', [String(batch)]),
  )
}

/** Eager PyTorch at its best: every ReLU guided, parameters frozen, channels last. */
export function tunedContender(batch: number): Contender[] {
  return scriptContender(`PyTorch, tuned, batch ${batch}`, 'origin.py', [String(batch), 'tuned'])
}

/** A script of this folder that prints ms per image. */
export function scriptContender(name: string, script: string, args: readonly string[]): Contender[] {
  const path = fileURLToPath(new URL(`./${script}`, import.meta.url))
  const found = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0
  if (!found) {
    console.error(`PyTorch is not installed for ${python}, so this is not measured: ${name}`)
    return []
  }
  return [
    {
      name,
      async measure() {
        const run = spawnSync(python, [path, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 })
        if (run.status !== 0) throw new Error(run.stderr)
        return Number(run.stdout)
      },
    },
  ]
}
