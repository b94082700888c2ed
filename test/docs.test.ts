import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
)

// Files move, and prose does not notice.
test.each(pages)('%s names files of the sources and tests that are there', (page) => {
  const named = readFileSync(join(root, page), 'utf8').matchAll(/[\w-]+(?:\/[\w-]+)+\.(?:test\.)?(?:ts|mjs)\b/g)
  const missing = [...named]
    .map(([path]) => path)
    .filter((path) => !['', 'src', 'test'].some((room) => existsSync(join(root, room, path))))
  // Stand for any name.
  expect(missing.filter((path) => !path.includes('NAME'))).toEqual([])
})

// A merge that puts rows behind a paragraph makes text of them.
test.each(pages)('%s has its tables in one piece', (page) => {
  const lines = readFileSync(join(root, page), 'utf8').split('\n')
  const isRow = (line: string | undefined): boolean => line?.startsWith('|') === true
  const heads = lines.flatMap((line, i) => (isRow(line) && !isRow(lines[i - 1]) ? [i] : []))
  const broken = heads.filter((i) => lines[i - 1] !== '' || !/^\|( ?:?-+:? ?\|)+$/.test(lines[i + 1] ?? ''))
  expect(broken.map((i) => lines[i])).toEqual([])
})
