import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

// Starting takes as long as loading does. So a command's file says what the command takes and loads what it does only
// when it is called, and nobody waits for packages that this call has no use for.

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** What a file of `src` loads with it: files of `src` and packages; types and dynamic imports load nothing. */
function loadedWith(...entries: string[]): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const waiting = entries.map((entry) => join(source, entry))
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const name = relative(source, file)
    if (files.has(name)) continue
    files.add(name)
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(staticImport)) {
      if (specifier.startsWith('.')) waiting.push(join(dirname(file), specifier))
      else if (!specifier.startsWith('node:'))
        packages.add(specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'))
    }
  }
  return { files, packages }
}
const staticImport = /^(?:import|export) (?!type )(?:[^'"]*? from )?'([^']+)'/gms

const commands = readdirSync(join(source, 'cli/commands'))
/** All that every command waits for. */
const common = ['commander', 'pino', 'zod']

test('the version of Node is checked before anything else is loaded', () => {
  expect([...loadedWith('cli/main.ts').files]).toEqual(['cli/main.ts'])
  expect([...loadedWith('cli/main.ts').packages]).toEqual([])
})

test('what a command takes is known without loading what it does', () => {
  const { files, packages } = loadedWith('cli/program.ts')
  for (const name of commands) expect(files).toContain(`cli/commands/${name}/${name}.ts`)
  expect([...files].filter((file) => /\/perform\w*\.ts$/.test(file))).toEqual([])
  expect([...packages].toSorted()).toEqual(common)
  const later = /^(saliency\/(graph|ops)|output|queue|producer|worker|report)/
  expect([...files].filter((file) => later.test(file))).toEqual([])
})

test('explain loads neither queue nor store nor engine before it knows which', () => {
  const { files, packages } = loadedWith('cli/program.ts', 'cli/commands/explain/performExplain.ts')
  expect([...packages].filter((name) => ['bullmq', 'ioredis', '@aws-sdk/client-s3'].includes(name))).toEqual([])
  expect([...files].filter((file) => /^(queue|producer|worker|report)\//.test(file))).toEqual([])
})

test('no command loads what another does: what several do is in cli/shared', () => {
  for (const name of commands) {
    const folder = join(source, 'cli/commands', name)
    for (const file of readdirSync(folder)) {
      expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(/from '\.\.\/(?!\.\.\/)/)
    }
  }
})

test.each(commands)('%s does what it does in a file of its own', (name) => {
  const folder = join(source, 'cli/commands', name)
  expect(readdirSync(folder)).toContain(`${name}.ts`)
  expect(readdirSync(folder)).toContain(`perform${name.charAt(0).toUpperCase()}${name.slice(1)}.ts`)
})
