import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Results that must never change, as files beside the tests. They are not vitest's snapshots, since `vitest -u` renews
 * those without a word. Here a case that is missing can be added, with HEADLIGHT_WRITE_BASELINE=1 (then `npm run format`);
 * one that is there is only ever read, and whoever means to change it must delete it by hand.
 */
const mayAdd = process.env.HEADLIGHT_WRITE_BASELINE === '1'

/**
 * What `file`, a JSON object by name in test/baseline/, holds under `name`. `value` must survive JSON: -0, NaN and
 * undefined do not. One file belongs to one test file: test files run side by side, and two would overwrite each other.
 */
export function frozen(file: string, name: string, value: unknown): unknown {
  const cases = frozenCases(file)
  if (Object.hasOwn(cases, name)) return cases[name]
  refuseUnlessAdding(file, `no case "${name}"`)
  const sorted = Object.entries({ ...cases, [name]: value }).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const text = `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
  writeFileSync(new URL(`../baseline/${file}`, import.meta.url), text)
  return (JSON.parse(text) as Record<string, unknown>)[name]
}

/** Everything that `file` holds: a test that lists its cases can tell by it that none has been dropped. */
export function frozenCases(file: string): Record<string, unknown> {
  const url = new URL(`../baseline/${file}`, import.meta.url)
  return existsSync(url) ? (JSON.parse(readFileSync(url, 'utf8')) as Record<string, unknown>) : {}
}

/** As `frozen`, for a text that has a file to itself, with one more end of line at its end. */
export function frozenText(file: string, text: string): string {
  const url = new URL(`../baseline/${file}`, import.meta.url)
  if (!existsSync(url)) {
    refuseUnlessAdding(file, 'no such file')
    mkdirSync(new URL('.', url), { recursive: true })
    writeFileSync(url, `${text}\n`)
  }
  return readFileSync(url, 'utf8').replace(/\n$/, '')
}

function refuseUnlessAdding(file: string, what: string): void {
  if (mayAdd) return
  throw new Error(
    `test/baseline/${file}: ${what}. To add what is missing, run the test with HEADLIGHT_WRITE_BASELINE=1`,
  )
}
