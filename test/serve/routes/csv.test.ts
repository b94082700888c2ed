import { expect, it } from 'vitest'
import { csvRows } from '../../../src/dataset/csvRows.ts'
import { csvRoute } from '../../../src/serve/routes/csv.ts'
import type { Served } from '../../../src/serve/routes/route.ts'
import type { TableQueries } from '../../../src/serve/table/tableQueries.ts'
import type { RowFacts } from '../../../src/serve/wire.ts'

const none = [null, null, null] as const
const plain: RowFacts = {
  key: 'a.png',
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

/** The file of a table of these rows, of which a page holds no more than is asked for. */
async function fileOf(rows: readonly RowFacts[], query = '', signal = new AbortController().signal) {
  const asked: number[] = []
  let looks = 0
  const table: Pick<TableQueries, 'page'> = {
    page: async (_selection, from, count) => {
      asked.push(from)
      return { count: rows.length, rows: rows.slice(from, from + count) }
    },
  }
  const served = {
    runOf: async () => ({ run: 'RUN', stateRun: 'RUN' }),
    // It is being read when it is asked for first.
    tables: { of: async () => (looks++ < 2 ? { waiting: { text: '', done: 0, total: 0 } } : table) },
  } as unknown as Served
  const parameters = new URLSearchParams(query)
  const answer = await csvRoute.answer({ set: 'SET', query: { run: undefined }, parameters, signal }, served)
  // Else a browser saves what it is told while it waits.
  if (answer.kind !== 'file') throw new Error(`the answer is ${answer.kind}`)
  const text = async () => {
    let all = ''
    for await (const chunk of answer.chunks) all += chunk
    return all
  }
  return { ...answer, text, asked }
}

const cellsOf = (text: string) => [...csvRows(text)].map(({ cells }) => cells)

it('is a file with a name of its own, whose columns are called as in the table', async () => {
  const file = await fileOf([])
  expect([file.fileName, file.contentType]).toEqual(['SET-RUN.csv', 'text/csv; charset=utf-8'])
  const [names = [], ...rows] = cellsOf(await file.text())
  expect(rows).toEqual([])
  expect(names.slice(0, 9)).toEqual([
    'key',
    'status',
    'code',
    'subject',
    'sequence',
    'yaw',
    'labelYaw',
    'errorYaw',
    'yawTopProbability',
  ])
})

it('has every number in the column of its name, and an empty cell for none', async () => {
  const row: RowFacts = {
    ...plain,
    estimate: [1.5, -2, null],
    label: [1, -1, 0],
    error: [0.5, -1, null],
    meanError: 0.75,
    errorGeodesic: 1.1,
    isLeftOutOfErrors: true,
    confidence: [0.25, 1e-7, null],
  }
  const [names = [], cells = []] = cellsOf(await (await fileOf([row])).text())
  const value = Object.fromEntries(names.map((name, i) => [name, cells[i]]))
  expect(value).toMatchObject({ yaw: '1.5', pitch: '-2', roll: '', labelPitch: '-1', errorPitch: '-1', errorRoll: '' })
  expect(value).toMatchObject({ yawTopProbability: '0.25', pitchTopProbability: '1e-7', meanError: '0.75' })
  expect(value).toMatchObject({ errorGeodesic: '1.1', leftOutOfErrors: 'true', class: '', topClass: '' })
})

it.each(['with, comma', 'with "quotes"', 'two\nlines', 'two\r\nlines', '=1+1', '-x', '<b>', '頭', ' spaces '])(
  'keeps the text %j in one cell as it is',
  async (text) => {
    const rows = [{ ...plain, key: text, subject: text, code: text }, plain]
    const [, first, second] = cellsOf(await (await fileOf(rows)).text())
    expect([first?.[0], first?.[3], first?.[2]]).toEqual([text, text, text])
    expect(second?.[0]).toBe('a.png')
  },
)

it('holds all rows of a large selection once, in their order', async () => {
  const rows = Array.from({ length: 4_500 }, (_, i) => ({ ...plain, key: `${i}.png` }))
  const file = await fileOf(rows)
  const [, ...lines] = cellsOf(await file.text())
  expect(lines.map(([key]) => key)).toEqual(rows.map(({ key }) => key))
  expect(file.asked.length).toBeGreaterThan(2)
})

it('reads no further once nobody takes the file any more', async () => {
  const leaving = new AbortController()
  const file = await fileOf([plain], '', leaving.signal)
  leaving.abort(new Error('gone'))
  await expect(file.text()).rejects.toThrow('gone')
  expect(file.asked).toEqual([])
})

it('refuses a selection that it cannot read: the file would hold other rows than were meant', async () => {
  await expect(fileOf([plain], 'absErrorYaw=ten..')).rejects.toMatchObject({ code: 'bad-option' })
})
