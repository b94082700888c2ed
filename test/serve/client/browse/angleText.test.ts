import { expect, it } from 'vitest'
import { angleText, errorText } from '../../../../src/serve/client/browse/angleText.ts'

it.each([
  [-0.04, '0.0', '0.0'],
  [0, '0.0', '0.0'],
  [-0.06, '−0.1', '−0.1'],
  [12.34, '12.3', '+12.3'],
  [null, '–', '–'],
])('writes an angle of %j as %s, an error as %s', (value, angle, error) => {
  expect([angleText(value), errorText(value)]).toEqual([angle, error])
})
