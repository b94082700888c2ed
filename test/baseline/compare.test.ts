import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { putSummary } from '../../src/output/summary.ts'
import { openStore } from '../../src/storage/open.ts'
import { putComparedRun, resultSetOf, runIds, type ComparedSample, type Triple } from '../support/comparedOutput.ts'
import { emptySummary } from '../support/emptySummary.ts'
import { frozen, frozenCases } from '../support/frozen.ts'
import { headlight } from '../support/headlight.ts'
import { amiss, fieldsOf } from '../support/jsonFields.ts'

// What scripts read of `compare --json`: a field may come in addition, one that is there keeps its name and its type.

const cases = ['compare of labelled images', 'compare of images without labels'] as const
const printed: Record<string, unknown> = {}
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-baseline-compare-'))
  for (const [i, name] of cases.entries()) {
    const output = openStore(join(folder, String(i)))
    await output.check('write')
    const before = resultSetOf({ id: 'old-all-00000001', network: 'old.pkl' })
    const after = resultSetOf({ id: 'new-none-00000002', network: 'new.pkl', scope: 'none' })
    await putComparedRun(output, before, samples(i === 0, 1))
    await putSummary(output, before.id, { ...emptySummary, run: runIds[0] })
    await putComparedRun(output, after, samples(i === 0, 3))
    const sets = [before, after].map(({ id }) => join(folder, String(i), id))
    const { code, stdout } = await headlight(['compare', ...sets, '--json'])
    expect(code).toBe(0)
    printed[name] = JSON.parse(stdout)
  }
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Some of everything: subjects, more than are told, failures, images of one table, changed ones. */
function samples(isLabelled: boolean, error: number): ComparedSample[] {
  const many = Array.from({ length: 202 }, (_, i): ComparedSample => {
    const yaw = (i % 100) - 50
    const names = i % 2 === 0 ? { subject: `s${i}`, sequence: `q${i}` } : { subject: `s${i}` }
    const estimate: Triple = [yaw + error, 2 * error, 0]
    return {
      key: String(i).padStart(3, '0'),
      estimate,
      label: isLabelled ? [yaw, 0, 0] : null,
      maps: [error / 10],
      ...names,
    }
  })
  const zero: Triple = [0, 0, 0]
  const label = isLabelled ? zero : null
  return [
    ...many,
    { key: 'changed', estimate: zero, label, fingerprint: `f${error}` },
    error > 1 ? { key: 'failed', failed: 'corrupt-image' } : { key: 'failed', estimate: zero, label },
    error > 1 ? { key: 'fails', estimate: zero, label } : { key: 'fails', failed: 'not-finite' },
    { key: `only ${error}`, estimate: zero, label },
    { key: 'without a name', estimate: zero, label },
  ]
}

test.each(cases)('%s: no field is missing, and none has another type', (name) => {
  const fields = fieldsOf(printed[name])
  expect(amiss(frozen('compare.json', `fields of ${name}`, fields) as string[], fields)).toEqual([])
})

test('no case has been dropped', () => {
  expect(cases.map((name) => `fields of ${name}`)).toEqual(
    expect.arrayContaining(Object.keys(frozenCases('compare.json'))),
  )
})
