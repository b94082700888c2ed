import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { floors, lintConfig } from '../scripts/lintConfig.ts'

// The linter says nothing about cycles when it cannot resolve imports, and nothing about types when it finds no
// tsconfig. So a green lint proves something only while these bad files are refused under the same configuration.

const root = fileURLToPath(new URL('..', import.meta.url))
const value = 'export const value = 1\nexport type Value = number\n'
const importing = (path: string) => `import { value } from '${path}'\nexport const twice = value + value\n`
const cyclic = (name: string, next: string) =>
  `import { ${next} } from './${next}.ts'\nexport function ${name}(): number {\n  return ${next}()\n}\n`

const good = {
  'src/pose/euler.ts': value,
  'src/saliency/networks/good.ts': importing('../../pose/euler.ts'),
  'src/image/good.ts': importing('../base/target.ts'),
  'src/producer/good.ts': importing('../report/target.ts'),
  'src/worker/supervisor/good.ts': importing('../target.ts'),
  'src/cli/good.ts': `${importing('../producer/target.ts')}export const asked = [process.argv, process.env]\n`,
}

const cycle = {
  'src/pose/a.ts': cyclic('a', 'b'),
  'src/pose/b.ts': cyclic('b', 'c'),
  'src/pose/c.ts': cyclic('c', 'a'),
}

/** Folder of the importing file → folders that it must not know. */
const upward: [importer: string, imported: string][] = [
  ...floors.flatMap((floor, height) =>
    floor.flatMap((room): [string, string][] =>
      floors
        .slice(height)
        .flat()
        .filter((other) => other !== room)
        .map((other) => [`src/${room}`, `src/${other}`]),
    ),
  ),
  // Folders within a room are behind the same fence.
  ['src/saliency/networks', 'src/storage'],
  ['src/saliency/engines', 'src/queue'],
  ['src/storage', 'src/cli/settings'],
  ['src/worker/unit', 'src/producer'],
  ['src/worker/supervisor', 'src/producer'],
  ['src/worker/supervisor', 'src/worker/unit'],
  ['src/worker/unit', 'src/worker/supervisor'],
  ['src/worker', 'src/worker/supervisor'],
  ['src/worker', 'src/worker/unit'],
  ['src/worker/supervisor', 'src/worker/unit/below'],
  ['src/worker/other', 'src/worker/unit'],
  ['src/cli/shared', 'src/cli/commands/run'],
]
const upwardFile = ([importer, imported]: [string, string]) => `${importer}/imports-${imported.replaceAll('/', '-')}.ts`

const bad: [what: string, rule: string, text: string][] = [
  ['an any', 'typescript(no-explicit-any)', 'export const value: any = 1\n'],
  ['a forgotten promise', 'typescript(no-floating-promises)', 'export function f() {\n  Promise.resolve(1)\n}\n'],
  [
    'a promise where a condition is meant',
    'typescript(no-misused-promises)',
    'export function f(p: Promise<boolean>) {\n  return p ? 1 : 2\n}\n',
  ],
  [
    'JSON that is trusted unseen',
    'typescript(no-unsafe-assignment)',
    'export function f(text: string) {\n  const { a } = JSON.parse(text)\n  return typeof a\n}\n',
  ],
  [
    'a forgotten case',
    'typescript(switch-exhaustiveness-check)',
    "export function f(x: 'a' | 'b') {\n  switch (x) {\n    case 'a':\n      return 1\n  }\n  return 2\n}\n",
  ],
  ['a non-null assertion', 'typescript(no-non-null-assertion)', 'export const f = (a: number[]) => a[0]!\n'],
  ['a read of the environment', 'node(no-process-env)', 'export const value = process.env.HOME\n'],
  ['a read of the command line', 'eslint(no-restricted-properties)', 'export const value = process.argv\n'],
  ['a destructured command line', 'eslint(no-restricted-properties)', 'export const { argv } = process\n'],
  [
    'process by import',
    'eslint(no-restricted-imports)',
    "import { env } from 'node:process'\nexport const home = env.HOME\n",
  ],
  [
    'a room above by a dynamic import',
    'eslint(no-restricted-imports)',
    "export const f = async () => (await import('../cli/target.ts')).value\n",
  ],
  [
    'a module that is imported twice',
    'import(no-duplicates)',
    "import { value } from '../output/target.ts'\nimport type { Value } from '../output/target.ts'\nexport const f: Value = value\n",
  ],
  [
    'an import of types that loads the module',
    'typescript(no-import-type-side-effects)',
    "import { type Value } from '../output/target.ts'\nexport const f = (v: Value) => v\n",
  ],
  [
    'process by its short name',
    'eslint(no-restricted-imports)',
    "import { env } from 'process'\nexport const home = env.HOME\n",
  ],
  ['a print to the console', 'eslint(no-console)', "console.log('')\nexport const value = 1\n"],
  ['a default export', 'import(no-default-export)', 'export default 1\n'],
  [
    'a type imported as a value',
    'typescript(consistent-type-imports)',
    "import { URL } from 'node:url'\nexport const f = (u: URL) => u\n",
  ],
  ['a barrel', 'oxc(no-barrel-file)', "export * from './target.ts'\n"],
]
const badFile = (what: string) => `src/producer/${what.replaceAll(' ', '-')}.ts`

let folder: string
/** By file, the rules it broke. */
let broken: Map<string, string[]>

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headlight-lint-'))
  for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) cpSync(join(root, name), join(folder, name))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const files: Record<string, string> = { ...good, ...cycle, 'src/worker/target.ts': value }
  for (const [importer, imported] of upward) {
    files[`${imported}/target.ts`] = value
    files[upwardFile([importer, imported])] = importing(`./${join(relative(importer, imported), 'target.ts')}`)
  }
  for (const [what, , text] of bad) files[badFile(what)] = text
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }

  const { status, stdout, stderr } = spawnSync(
    join(root, 'node_modules', '.bin', 'oxlint'),
    ['--type-aware', '-f', 'json', 'src'],
    { cwd: folder, encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  expect(status).toBe(1)
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }
  broken = new Map()
  for (const { code, filename } of diagnostics) broken.set(filename, [...(broken.get(filename) ?? []), code])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the file is the one that scripts/lintConfig.ts writes; run it after a change', () => {
  expect(readFileSync(join(root, '.oxlintrc.json'), 'utf8')).toBe(lintConfig())
})

test('every file of src/ lies in a room of the ladder', () => {
  expect(readdirSync(join(root, 'src')).toSorted()).toEqual(floors.flat().toSorted())
})

test.each(Object.keys(good))('%s keeps the rules', (file) => {
  expect(broken.get(file) ?? []).toEqual([])
})

test('a cycle of three files is refused', () => {
  for (const file of Object.keys(cycle)) expect(broken.get(file)).toEqual(['import(no-cycle)'])
})

test.each(upward)('%s must not import from %s', (importer, imported) => {
  expect(broken.get(upwardFile([importer, imported]))).toEqual(['eslint(no-restricted-imports)'])
})

test.each(bad)('%s is refused', (what, rule) => {
  expect(broken.get(badFile(what))).toEqual([rule])
})
