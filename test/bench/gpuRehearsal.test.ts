import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bench, written } from '../support/gpuBench.ts'

const folder = mkdtempSync(join(tmpdir(), 'headlight-gpu-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

// A file of its own: it takes as long as all other tests of the command together.
describe('npm run bench -- gpu', () => {
  it('rehearses every step on the processor, and leaves one JSON and one table', { timeout: 480_000 }, async () => {
    const out = join(folder, 'rehearsal')
    const { code, stdout } = await bench([
      '--rehearse',
      '--engines',
      'onnxruntime:cpu',
      '--python',
      'none',
      '--out',
      out,
    ])
    const { steps, rehearsal } = written(out)
    expect(rehearsal).toBe(true)
    expect(Object.entries(steps).map(([name, { state }]) => [name, state])).toEqual(
      ['machine', 'conformance', 'speed', 'pipeline', 'units'].map((name) => [name, 'done']),
    )
    const verdicts = Object.values(steps).flatMap((step) => step.verdicts)
    expect(verdicts.filter(({ ok }) => ok === true).map(({ what }) => what)).toEqual([
      'TF32 off in onnxruntime:cpu',
      'conformance of onnxruntime:cpu',
      'a unit killed in the middle of a batch',
    ])
    expect(verdicts.filter(({ ok }) => ok === false)).toEqual([])
    expect(steps['machine']?.notes).toEqual([expect.stringContaining('PyTorch is not compared with')])
    expect(stdout).toBe(`${readFileSync(join(out, 'gpu.txt'), 'utf8')}\n`)
    expect(stdout).toContain('A REHEARSAL: no figure here is of a GPU.')
    expect(code).toBe(0)
  })
})
