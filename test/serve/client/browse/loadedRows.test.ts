import { describe, expect, it } from 'vitest'
import {
  keptPages,
  missingPages,
  pageRows,
  rowAt,
  withPage,
  type LoadedRows,
} from '../../../../src/serve/client/browse/loadedRows.ts'
import type { RowFacts, RowsReply } from '../../../../src/serve/wire.ts'

const [first, second] = ['20261128T010000Z-aaaaaa', '20261129T010000Z-bbbbbb']
const count = 100 * pageRows + 5

function row(key: string): RowFacts {
  const none = [null, null, null] as const
  return {
    key,
    status: 'ok',
    code: null,
    subject: null,
    sequence: null,
    estimate: none,
    label: none,
    error: none,
    meanError: null,
    errorGeodesic: null,
    isLeftOutOfErrors: false,
    confidence: none,
    class: null,
    topClass: null,
    topClassProbability: null,
  }
}

function reply(page: number, run = first): RowsReply {
  const rows = Array.from({ length: pageRows }, (_, at) => row(`${run} ${page * pageRows + at}`))
  return { run, stateRun: run, total: count, count, from: page * pageRows, rows }
}

function loadedPages(pages: readonly number[], run: string | null = null): LoadedRows | null {
  return pages.reduce<LoadedRows | null>((before, page) => withPage(before, 'all', run, page, reply(page)), null)
}

describe('rows that come page by page', () => {
  it('are found by their position, and undefined until their page is there', () => {
    const loaded = loadedPages([0, 2])
    expect(rowAt(loaded, 2 * pageRows + 7)?.key).toBe(`${first} ${2 * pageRows + 7}`)
    expect(rowAt(loaded, pageRows)).toBeUndefined()
    expect(rowAt(null, 0)).toBeUndefined()
  })

  it('are asked for where they are in sight and have not come', () => {
    expect(missingPages(null, 0, pageRows)).toEqual([0, 1])
    expect(missingPages(loadedPages([0, 2]), 0, 3 * pageRows)).toEqual([1, 3])
    // The last page holds five; there is none behind it.
    expect(missingPages(loadedPages([0]), 100 * pageRows, 103 * pageRows)).toEqual([100])
  })

  it('are forgotten when too many have come, the first ones first', () => {
    const loaded = loadedPages(Array.from({ length: keptPages + 1 }, (_, page) => page))
    expect(loaded?.pages.size).toBe(keptPages)
    expect(rowAt(loaded, 0)).toBeUndefined()
    expect(rowAt(loaded, keptPages * pageRows)).toBeDefined()
  })

  it('are replaced by those of another selection', () => {
    const loaded = withPage(loadedPages([0, 1]), 'some', null, 0, { ...reply(0), count: 3 })
    expect([loaded.question, loaded.count, loaded.pages.size]).toEqual(['some', 3, 1])
  })

  it('are never those of two runs, whichever was asked for', () => {
    const loaded = loadedPages([0, 1])
    // Published between two pages, before the first one told its run.
    expect(withPage(loaded, 'all', null, 2, reply(2, second))).toBe(loaded)
    // Asked for by the reader.
    const other = withPage(loaded, 'all', second, 2, reply(2, second))
    expect([other.run, [...other.pages.keys()]]).toEqual([second, [2]])
  })
})
