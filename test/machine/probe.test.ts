import { expect, it } from 'vitest'
import { probeEngine } from '../../src/machine/probe.ts'

it('an engine that gives no answer in its time is no use, and the option that gives it more is named', async () => {
  expect(await probeEngine('reference', '/nowhere', process.env, { timeoutMs: 1 })).toEqual({
    ok: false,
    problem: expect.stringMatching(/no answer within 0.001 s .*--unit-start-seconds/) as string,
  })
})
