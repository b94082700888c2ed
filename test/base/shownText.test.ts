import { expect, it } from 'vitest'
import { isShownWhole, shownLine, shownText } from '../../src/base/shownText.ts'

it.each([
  ['/layer1/Conv_output_0', '/layer1/Conv_output_0'],
  ['Kopfhaltung – 頭', 'Kopfhaltung – 頭'],
  ['line\nbreak', 'line\ufffdbreak'],
  ['\u001b[31mred', '\ufffd[31mred'],
  ['right\u202eleft', 'right\ufffdleft'],
  ['a'.repeat(201), `${'a'.repeat(200)}…`],
])('%j is shown as %j', (text, shown) => {
  expect(shownText(text)).toBe(shown)
  expect(isShownWhole(text)).toBe(text === shown)
})

it('nothing names nothing', () => {
  expect(isShownWhole('')).toBe(false)
})

it('of a line nothing is cut off', () => {
  expect(shownLine(`${'a'.repeat(300)}\u001b[2J`)).toBe(`${'a'.repeat(300)}\ufffd[2J`)
})
