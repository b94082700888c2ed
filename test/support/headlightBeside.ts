import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ended } from './headlight.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * headlight as a package in `folder`/node_modules, so that other packages can lie beside it. Gives what calls its command
 * in a process of its own.
 */
export function installHeadlight(folder: string): (args: readonly string[]) => Promise<Ended> {
  const packages = join(folder, 'node_modules')
  const own = join(packages, 'headlight')
  mkdirSync(own, { recursive: true })
  for (const part of ['dist', 'config', 'package.json']) cpSync(join(root, part), join(own, part), { recursive: true })
  linkPackages(join(root, 'node_modules'), packages)
  const main = join(own, 'dist', 'cli', 'main.js')
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, TF_CPP_MIN_LOG_LEVEL: '2' }
  return async (args) =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [main, ...args], { env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      )
    })
}

/** Folders of scopes are folders of their own, into which more can be put. */
function linkPackages(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) {
    if (name.startsWith('.')) continue
    if (name.startsWith('@')) linkPackages(join(from, name), join(to, name))
    else symlinkSync(join(from, name), join(to, name))
  }
}
