import { describe, expect, it } from 'vitest'
import { isSameRange, rangeOfText, textOfRange } from '../../../../src/serve/client/browse/rangeText.ts'

describe('a range that is typed', () => {
  it.each([
    ['40', '60', { from: 40, to: 60 }],
    [' 40 ', '', { from: 40, to: null }],
    ['', '−5,5', { from: null, to: -5.5 }],
    ['', '', { from: null, to: null }],
    // Halfway to 0.05.
    ['0.', '', { from: 0, to: null }],
  ])('%j to %j is read', (from, to, range) => {
    expect(rangeOfText({ from, to })).toEqual(range)
  })

  it.each(['-', 'x', '1e3', '4 0', '.', 'Infinity'])('%j is not taken for a number', (from) => {
    expect(rangeOfText({ from, to: '' })).toBeUndefined()
  })

  it('is written as it is read', () => {
    const range = { from: -0.5, to: 1000000 }
    expect(rangeOfText(textOfRange(range))).toEqual(range)
    expect(textOfRange(undefined)).toEqual({ from: '', to: '' })
  })

  it('is the same as another with the same ends; open at both, as none', () => {
    expect(isSameRange({ from: 0, to: null }, rangeOfText({ from: '0.0', to: '' }))).toBe(true)
    expect(isSameRange({ from: null, to: null }, undefined)).toBe(true)
    expect(isSameRange({ from: 0, to: null }, undefined)).toBe(false)
    expect(isSameRange({ from: null, to: 1 }, { from: null, to: 2 })).toBe(false)
  })
})
