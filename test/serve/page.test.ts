import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { addresses, readBrowseView } from '../../src/serve/addresses.ts'
import { measureNames } from '../../src/serve/measures.ts'
import { everything, readSelection, writeSelection } from '../../src/serve/selection.ts'

const page = readFileSync(new URL('../../docs/serve.md', import.meta.url), 'utf8')
/** What browse and the image's page take, and not the choices of the other screens. */
const [chosenBy = ''] = page.split('Sets and comparisons have parameters of their own')
/** What stands in backquotes in the first column of a table. */
const tabled = [...chosenBy.matchAll(/^\| (`[^|]+?`) *\|/gm)].flatMap(([, names = '']) =>
  [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
)

test('docs/serve.md names every measure, and nothing that is none', () => {
  const parameters = new URLSearchParams(
    writeSelection({
      ...everything,
      cells: [{ yaw: 0, pitch: 0 }],
      subjects: ['a'],
      sequences: ['a'],
      status: 'ok',
      codes: ['a'],
      key: 'a',
      isDescending: true,
    }),
  )
  const view = new URLSearchParams(
    addresses.browse('set', null, everything, { as: 'table', objective: 'a', at: 1 }).split('?')[1],
  )
  expect(new Set(tabled)).toEqual(new Set([...measureNames, ...parameters.keys(), ...view.keys()]))
})

test('the address in docs/serve.md means what it says there', () => {
  const [, query = ''] = /^\/sets\/[\w-]+\/browse\?(\S+)$/m.exec(page) ?? []
  const parameters = new URLSearchParams(query)
  expect(readSelection(parameters)).toEqual({
    selection: {
      ...everything,
      ranges: { absPoseYaw: { from: 40, to: null } },
      subjects: ['7'],
      sort: 'absErrorYaw',
      isDescending: true,
    },
    problems: [],
  })
  expect(readBrowseView(parameters)).toEqual({ as: 'cards', objective: null, at: 0 })
})
