// Writes .oxlintrc.json, the fence between the rooms of src/ included: `node --import tsx scripts/lintConfig.ts`.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/**
 * The rooms of src/, floor by floor. A room imports what lies on lower floors, and nothing else: neighbours on one floor
 * do not know each other. A new room is one word here.
 */
export const floors: readonly (readonly string[])[] = [
  ['base', 'pose'],
  ['storage', 'image', 'saliency'],
  ['dataset', 'machine'],
  ['output'],
  ['queue'],
  ['report'],
  ['producer', 'worker', 'serve'],
  ['cli'],
]

/** Two processes of one room: they share what lies beside their folders in it, and that knows neither of them. */
const processes = { room: 'worker', folders: ['supervisor', 'unit'] } as const

/** The rooms that `room` must not import: all that are not on a lower floor. */
function forbiddenTo(room: string): string[] {
  const own = floors.findIndex((floor) => floor.includes(room))
  return floors.slice(own).flatMap((floor) => floor.filter((other) => other !== room))
}

const noProcess = ['node:process', 'process'].map((name) => ({
  name,
  message: 'Only src/cli reads the environment and the command line.',
}))

/** An override that keeps `files` from importing what the globs match. A later override of the same rule replaces it. */
function fence(files: readonly string[], group: readonly string[], message: string) {
  return {
    files,
    rules: { 'no-restricted-imports': ['error', { paths: noProcess, patterns: [{ group, message }] }] },
  }
}

const ladder = floors.map((floor) => floor.join(', ')).join(' < ')

function fences() {
  const fenced = floors.flat().filter((room) => room !== 'cli')
  const rooms = fenced.map((room) =>
    fence(
      [`src/${room}/**`],
      forbiddenTo(room).map((other) => `**/${other}/**`),
      `src/${room} imports lower floors only: ${ladder}.`,
    ),
  )
  const { room, folders } = processes
  /** What runs in a browser: the server of its room does not know it, and it has nothing that Node.js gives. */
  const browser = {
    files: ['src/serve/client/**'],
    rules: { 'no-restricted-globals': ['error', 'Buffer', 'process', 'global', 'require', '__dirname'] },
  }
  const server = fence(
    ['src/serve/**'],
    [...forbiddenTo('serve').map((name) => `**/${name}/**`), '**/client/**'],
    'src/serve/client runs in the browser; what both sides use lies beside it in src/serve.',
  )
  const apart = (files: string, others: readonly string[]) =>
    fence(
      [files],
      [...forbiddenTo(room).map((name) => `**/${name}/**`), ...others.map((name) => `**/${name}/**`)],
      `${folders.join(' and ')} are two processes; what both use lies in src/${room}, and knows neither. ` +
        `Lower floors only: ${ladder}.`,
    )
  const halves = folders.map((own) =>
    apart(
      `src/${room}/${own}/**`,
      folders.filter((other) => other !== own),
    ),
  )
  // A command may use what commands share, and never the reverse.
  const below = ['settings', 'shared', 'health', 'messages'].map((folder) => `src/cli/${folder}/**`)
  const shared = {
    files: below,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['**/commands/**'], message: 'What commands share knows none of them.' }] },
      ],
    },
  }
  return [shared, ...rooms, apart(`src/${room}/**`, folders), ...halves, server, browser]
}

const config = {
  $schema: './node_modules/oxlint/configuration_schema.json',
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise', 'node', 'vitest'],
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  categories: { correctness: 'error' },
  ignorePatterns: ['dist', 'node_modules', 'demo'],
  rules: {
    'import/no-cycle': 'error',
    'import/no-self-import': 'error',
    // With the formatter, which sorts and merges them: one import a module, `import { a, type B }`.
    'import/no-duplicates': ['error', { 'prefer-inline': true }],
    'import/no-default-export': 'error',
    'oxc/no-barrel-file': ['error', { threshold: 0 }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/consistent-type-imports': 'error',
    // `import { type A }` would load the module at run time; `import type { A }` does not.
    'typescript/no-import-type-side-effects': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/no-unnecessary-type-assertion': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'no-control-regex': 'off',
    'unicorn/no-new-array': 'off',
    'vitest/expect-expect': 'off',
    'vitest/no-standalone-expect': 'off',
    'vitest/no-conditional-expect': 'off',
    'vitest/require-to-throw-message': 'off',
    'vitest/no-focused-tests': 'error',
    'vitest/no-disabled-tests': 'error',
    eqeqeq: ['error', 'always'],
    'no-var': 'error',
    'prefer-const': 'error',
    'no-console': 'error',
    'no-shadow-restricted-names': 'error',
  },
  overrides: [
    {
      files: ['src/**'],
      rules: {
        'node/no-process-env': 'error',
        'no-restricted-properties': [
          'error',
          {
            object: 'process',
            property: 'argv',
            message: 'Only src/cli reads the command line; take it as a parameter.',
          },
          {
            object: 'process',
            property: 'exit',
            message: 'Only src/cli ends the process; raise an error or return.',
          },
        ],
      },
    },
    ...fences(),
    {
      files: ['src/saliency/**', 'src/image/**', 'src/pose/**'],
      rules: { 'typescript/no-non-null-assertion': 'off' },
    },
    {
      // Programs of their own, started by fork.
      files: ['src/worker/unit/unit.ts', 'src/machine/probeMain.ts'],
      rules: { 'no-restricted-properties': 'off' },
    },
    {
      files: ['src/cli/**'],
      rules: { 'node/no-process-env': 'off', 'no-restricted-properties': 'off', 'no-console': 'off' },
    },
    {
      files: ['test/**', 'bench/**', 'examples/**', 'scripts/**'],
      rules: {
        'no-console': 'off',
        'typescript/no-non-null-assertion': 'off',
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-call': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-unsafe-return': 'off',
      },
    },
    { files: ['vitest.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
}

/** The whole file. */
export function lintConfig(): string {
  return `${JSON.stringify(config, null, 2)}\n`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(new URL('../.oxlintrc.json', import.meta.url), lintConfig())
}
