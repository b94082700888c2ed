import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { operators } from '../../../../src/saliency/networks/onnx/operators.ts'

test('docs/onnx.md lists every operator that is read, once, and no other', () => {
  const page = readFileSync(new URL('../../../../docs/onnx.md', import.meta.url), 'utf8')
  const [, table = ''] = /\n\| operators .*\n\|[ -|]+\n((?:\|.*\n)+)/.exec(page) ?? []
  const listed = [...table.matchAll(/^\| ([^|]+)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
  expect(listed.toSorted()).toEqual(Object.keys(operators).toSorted())
})
