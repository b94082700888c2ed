import { expect, it } from 'vitest'
import { layout } from '../../../src/output/layout.ts'
import { tableBefore, tableOf } from '../../../src/report/compare/foundTable.ts'
import { putComparedRun, resultSetOf, runIds } from '../../support/comparedOutput.ts'
import { memoryOutput } from '../../support/memoryOutput.ts'

const set = resultSetOf({})
const [first, second, third] = runIds
const samples = [{ key: 'a', estimate: [1, 2, 3] as const }]

/** Two runs that changed something and a third that did not, as a run leaves that. */
async function threeRuns() {
  const output = memoryOutput()
  await putComparedRun(output, set, samples, { run: first })
  await putComparedRun(output, set, samples, { run: second, base: first })
  const run = JSON.parse(Buffer.from((await output.get(layout.run(set.id, second)))!.bytes).toString())
  const counts = { total: 1, computed: 0, unchanged: 1, failed: 0, gone: 0 }
  await output.put(layout.run(set.id, third), JSON.stringify({ ...run, run: third, base: second, counts }))
  return output
}

it('a result set is its state, and a run the state that it left', async () => {
  const output = await threeRuns()
  const common = { output, set, stateRun: second }
  expect(await tableOf(output, set, null)).toEqual({ table: { ...common, run: second }, notes: [] })
  expect(await tableOf(output, set, first)).toEqual({ table: { ...common, run: first }, notes: [] })
  expect(await tableOf(output, set, third)).toEqual({
    table: { ...common, run: second },
    notes: [`Run ${third} changed nothing, so that its state is that of run ${second}.`],
  })
})

it('the table before is the newest older one that is left', async () => {
  const output = await threeRuns()
  const table = { output, set, run: third, stateRun: second }
  expect((await tableBefore(table)).table.run).toBe(second)
  output.objects.delete(layout.runTable(set.id, second))
  expect((await tableBefore(table)).table.run).toBe(first)
  await expect(tableBefore({ ...table, run: first })).rejects.toMatchObject({
    code: 'no-such-run',
    message: expect.stringContaining('has one run that changed anything'),
  })
})

it('a table that is no longer there, or not yet, is refused with those that are', async () => {
  const output = await threeRuns()
  output.objects.delete(layout.runTable(set.id, second))
  for (const run of [second, third]) {
    await expect(tableOf(output, set, run)).rejects.toMatchObject({
      code: 'no-such-run',
      message: expect.stringMatching(new RegExp(`table of run ${second} is no longer in .*It has tables of ${first}$`)),
    })
  }
  await expect(tableOf(output, set, '20261201T010000Z-dddddd')).rejects.toMatchObject({ code: 'no-such-run' })
  const run = JSON.parse(Buffer.from((await output.get(layout.run(set.id, second)))!.bytes).toString())
  await output.put(layout.run(set.id, third), JSON.stringify({ ...run, run: third, state: 'open', closedAt: null }))
  await expect(tableOf(output, set, third)).rejects.toMatchObject({
    message: expect.stringContaining('is not finished, so it has no table yet'),
  })
})
