import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, type TestContext } from 'vitest'
import type { Ended } from './headlight.ts'

/** A Python with PyTorch: HEADLIGHT_TEST_PYTHON, else python3 where that has torch, NumPy and Pillow. */
const python = process.env['HEADLIGHT_TEST_PYTHON'] ?? 'python3'
// Looked for, not imported: that takes seconds.
const looking = 'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ("torch", "numpy", "PIL"))))'
const present = spawnSync(python, ['-c', looking]).status === 0

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Skips the test, and says why, where there is no PyTorch. */
export function requirePyTorch(context: TestContext): void {
  if (!present) context.skip(`${python} has no torch, NumPy and Pillow`)
}

/** What the program gives that lies at `path` in the repository. */
export function runPython(path: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(python, [path, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Small networks: threads that wait for each other take the machine from the tests beside.
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** The same, of a program that must end well and prints JSON. */
export async function jsonOfPython(path: string, args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await runPython(path, args)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return JSON.parse(stdout)
}
