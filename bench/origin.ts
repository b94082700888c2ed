import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Contender } from './measure.ts'

const python = process.env.HEADLIGHT_BENCH_PYTHON ?? 'python3'
const script = fileURLToPath(new URL('./origin.py', import.meta.url))

/** The origin's way in PyTorch, where Python with torch is found (`HEADLIGHT_BENCH_PYTHON`, else python3); nothing elsewhere. */
export function originContender(): Contender[] {
  const found = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0
  if (!found) {
    console.error(`PyTorch is not installed for ${python}, so the origin’s way is not measured`)
    return []
  }
  return [1, 8].map((batch) => ({
    name: `PyTorch, the origin's way, batch ${batch}`,
    async measure() {
      const run = spawnSync(python, [script, String(batch)], { encoding: 'utf8' })
      if (run.status !== 0) throw new Error(run.stderr)
      return Number(run.stdout)
    },
  }))
}
