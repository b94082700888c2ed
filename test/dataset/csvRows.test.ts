import fc from 'fast-check'
import { expect, it } from 'vitest'
import { csvRows } from '../../src/dataset/csvRows.ts'

const rows = (text: string) => [...csvRows(text)].map(({ cells }) => cells)

it.each([
  [
    'a,b\n1,2\n',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  [
    'a,b\r\n1,2',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  [
    'a,,\n,,\n',
    [
      ['a', '', ''],
      ['', '', ''],
    ],
  ],
  [
    '"a,1","b ""c""","d\r\ne"\nf,g,h',
    [
      ['a,1', 'b "c"', 'd\r\ne'],
      ['f', 'g', 'h'],
    ],
  ],
  ['a\n\n\r\nb\n', [['a'], ['b']]],
  ['a"b,c\n', [['a"b', 'c']]],
  ['"",x', [['', 'x']]],
  ['', []],
  ['a,', [['a', '']]],
])('%j', (text, cells) => {
  expect(rows(text)).toEqual(cells)
})

it('tells the line on which a record begins', () => {
  expect([...csvRows('a\n"b\nc"\n\nd\n')].map(({ line }) => line)).toEqual([1, 2, 5])
})

it.each([
  ['a\n"b\nc', 'line 2: a quote is opened and never closed'],
  ['"a"b,c', 'line 1: a character follows'],
  ['"a""', 'never closed'],
])('refuses %j', (text, message) => {
  expect(() => rows(text)).toThrow(message)
})

it('reads back whatever is written', () => {
  const cell = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a') }))
  // A record of one empty cell and an empty line look alike.
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }))
  const written = fc.tuple(table, fc.constantFrom('\n', '\r\n'))
  fc.assert(
    fc.property(written, ([cells, end]) => {
      const text = cells.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',') + end).join('')
      expect(rows(text)).toEqual(cells)
    }),
  )
})
