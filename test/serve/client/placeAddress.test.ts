import { describe, expect, it } from 'vitest'
import { addressWith } from '../../../src/serve/client/placeAddress.ts'

describe('an address with other parameters', () => {
  const place = { path: '/sets/x', parameters: new URLSearchParams('run=r&errors=bias-yaw') }

  it('keeps all others, and loses what is null', () => {
    expect(addressWith(place, { errors: 'error-roll', atlas: 'input' })).toBe(
      '/sets/x?run=r&errors=error-roll&atlas=input',
    )
    expect(addressWith(place, { errors: null })).toBe('/sets/x?run=r')
    expect(addressWith(place, { errors: null, run: null })).toBe('/sets/x')
    expect(place.parameters.toString()).toBe('run=r&errors=bias-yaw')
  })
})
