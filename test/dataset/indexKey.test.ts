import { expect, it } from 'vitest'
import { blankAround, keyBelow, whyNoKey } from '../../src/dataset/indexKey.ts'
import { memoryStore } from '../support/memoryStore.ts'

const folder = 'file:///data/my%20images/'
const bucket = 's3://heads/in/'

it.each([
  [folder, 'a.png', 'a.png'],
  [folder, ' a: 100 %.png', ' a: 100 %.png'],
  [folder, '/data/my images/a/b.png', 'a/b.png'],
  [folder, '/data/x/../my images//a.png', 'a.png'],
  [folder, 'file:///data/my%20images/a%25.png', 'a%.png'],
  ['file:///', '/data/a.png', 'data/a.png'],
  [bucket, 's3://heads/in/a/b.png', 'a/b.png'],
  [bucket, 's3://heads/in/./a%20b.png', 'a%20b.png'],
  [bucket, '..a/...b.png', '..a/...b.png'],
])('below %s, %s is the key %s', (dataset, written, key) => {
  expect(keyBelow(dataset, written)).toBe(key)
  expect(whyNoKey(dataset, written)).toBeUndefined()
})

it.each([
  [folder, '/data/my images'],
  [folder, '/data/my images 2/a.png'],
  [folder, 'file://host/data/my%20images/a.png'],
  [folder, 'file:///data/my%images/a.png'],
  [folder, 'a/../../b.png'],
  [folder, './'],
  [folder, 's3://heads/in/a.png'],
  [bucket, '/a.png'],
  [bucket, 's3://heads/a.png'],
  [bucket, 'file:///heads/in/a.png'],
])('%s has nothing called %s', (dataset, written) => {
  expect(keyBelow(dataset, written)).toBeUndefined()
  expect(whyNoKey(dataset, written)).toContain(dataset)
})

it.each([
  ['a.png ', 'the name "a.png " ends in a blank, and "a.png" is there: correct the index'],
  [' a.png', 'the name " a.png" begins with a blank, and "a.png" is there: correct the index'],
  ['b.png\t', 'the name "b.png\\t" ends in a blank'],
  ['b.png', undefined],
])('%j that is missing is told of: %s', async (key, says) => {
  expect(await blankAround(memoryStore({ 'a.png': 'a' }), key)).toBe(says)
})
