import { describe, expect, it } from 'vitest'
import {
  columns,
  readNamesSort,
  sortedNames,
  writeNamesSort,
  type Group,
} from '../../../../src/serve/client/set/namesSort.ts'

describe('the order of names', () => {
  it('is the largest mean error first unless the address says otherwise, and needs no parameter then', () => {
    for (const parameter of [null, 'nothing', '-']) {
      const sort = readNamesSort(parameter)
      expect([sort.column.id, sort.isDescending]).toEqual(['error', true])
      expect(writeNamesSort(sort)).toBeNull()
    }
  })

  it('is read as it is written', () => {
    for (const column of columns) {
      for (const isDescending of [true, false]) {
        const sort = { column, isDescending }
        expect(readNamesSort(writeNamesSort(sort))).toEqual(sort)
      }
    }
  })

  it('is that of sizes, and names without the number come last', () => {
    const biased = (name: string, signedSum: number | null): Group => ({
      name,
      n: 1,
      errors: signedSum === null ? {} : { yaw: { n: 1, absoluteSum: 9, signedSum, histogram: [] } },
    })
    const named = [biased('right', 2), biased('unlabelled', null), biased('left', -5), biased('none', 0)]
    const order = (parameter: string) => sortedNames(named, readNamesSort(parameter)).map(({ name }) => name)
    expect(order('-bias-yaw')).toEqual(['left', 'right', 'none', 'unlabelled'])
    expect(order('bias-yaw')).toEqual(['none', 'right', 'left', 'unlabelled'])
  })
})
