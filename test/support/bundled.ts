import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const folder = fileURLToPath(new URL('../../node_modules/.cache/headlight-programs', import.meta.url))

/** A program of the tests as one file of plain JavaScript: read by tsx, each start would take a core twice as long. */
export function bundled(script: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [script],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    sourcemap: 'inline',
    write: false,
  })
  const program = join(folder, basename(script).replace(/\.ts$/, '.mjs'))
  // Another test may be starting it.
  const written = `${program}.${process.pid}`
  mkdirSync(folder, { recursive: true })
  writeFileSync(written, outputFiles[0]?.contents ?? '')
  renameSync(written, program)
  return program
}
