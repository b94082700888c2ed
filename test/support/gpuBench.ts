import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The command as `npm run bench -- gpu` starts it. */
export function bench(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const all = ['--import', 'tsx', 'bench/main.ts', 'gpu', ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, all, { cwd: root, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

interface Written {
  rehearsal: boolean
  steps: Record<string, { state: string; verdicts: { what: string; ok: boolean | null }[]; notes: string[] }>
}
export const written = (out: string): Written => JSON.parse(readFileSync(join(out, 'gpu.json'), 'utf8')) as Written
