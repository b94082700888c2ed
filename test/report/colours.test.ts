import { expect, test } from 'vitest'
import { colourStyle, diverging, sequential } from '../../src/report/colours.ts'

/** WCAG 2.2, relative luminance of #rrggbb. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05)
}

test.each([
  ['sequential', sequential],
  ['diverging', diverging],
])('numbers can be read on every step of the %s scale, in light and dark', (_, scale) => {
  const unread = scale.filter(
    ({ light, dark, inks }) => contrast(light, inks[0]) < 4.5 || contrast(dark, inks[1]) < 4.5,
  )
  expect(unread).toEqual([])
})

test('more is darker on a light page and lighter on a dark one, step by step', () => {
  const falls = (values: readonly number[]) => values.every((value, i) => i === 0 || value < (values[i - 1] ?? 0))
  expect(falls(sequential.map(({ light }) => luminance(light)))).toBe(true)
  expect(falls(sequential.map(({ dark }) => -luminance(dark)))).toBe(true)
  expect(falls(diverging.slice(4).map(({ light }) => luminance(light)))).toBe(true)
  expect(falls(diverging.slice(0, 5).map(({ light }) => -luminance(light)))).toBe(true)
})

test('the style sheet names nothing outside', () => {
  expect(colourStyle).not.toMatch(/url\(|@import/)
})
