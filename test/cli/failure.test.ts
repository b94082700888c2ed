import { expect, it } from 'vitest'
import { InputError, PlaceError, TransientError } from '../../src/base/errors.ts'
import { describeFailure, Interrupted } from '../../src/cli/failure.ts'

const quietly = { debug: false }

it('tells the fault of the input from that of the program or its surroundings', () => {
  expect(describeFailure(new InputError('bad-uri', 'no such thing'), quietly)).toEqual({
    exitCode: 2,
    message: 'headlight: no such thing',
    json: { error: { code: 'bad-uri', message: 'no such thing' } },
  })
  expect(describeFailure(new PlaceError('disk-full', 'full'), quietly).exitCode).toBe(1)
  expect(describeFailure(new TransientError('store-busy', 'busy'), quietly).exitCode).toBe(1)
  expect(describeFailure(new Interrupted('go on so'), quietly)).toMatchObject({
    exitCode: 130,
    message: 'headlight: interrupted; go on so',
  })
})

it('shows folders as the paths that people give', () => {
  const said = (code: 'held' | 'bad-uri', text: string) => describeFailure(new InputError(code, text), quietly).message
  expect(said('held', 'file:///tmp/a%20b/set is being written; wait')).toBe(
    'headlight: /tmp/a b/set is being written; wait',
  )
  expect(said('held', 's3://bucket/set, file:///tmp/100%zz')).toBe('headlight: s3://bucket/set, file:///tmp/100%zz')
  expect(said('bad-uri', 'write file:///folder')).toBe('headlight: write file:///folder')
})

it('says one sentence about what nobody foresaw, and the stack only on request', () => {
  const error = new TypeError('x is not a function\n  more')
  const failure = describeFailure(error, quietly)
  expect(failure).toMatchObject({ exitCode: 1, json: { error: { code: 'unexpected' } } })
  expect(failure.message).toMatch(/^headlight: .*TypeError: x is not a function\); please report it.*$/)
  expect(describeFailure(error, { debug: true }).message).toContain('failure.test.ts')
  expect(describeFailure('thrown text', quietly).message).toContain('thrown text')
})
