import { describe, expect, it } from 'vitest'
import { addresses } from '../../../src/serve/addresses.ts'
import { screenOf } from '../../../src/serve/client/screenPaths.ts'
import { everything } from '../../../src/serve/selection.ts'

const pathOf = (address: string) => new URL(address, 'http://localhost').pathname

describe('the screen of a path', () => {
  it.each([
    [addresses.sets(), 'sets', '', ''],
    [addresses.set('a b/%'), 'set', 'a b/%', ''],
    [addresses.browse('x', null, everything), 'browse', 'x', ''],
    [addresses.sample('x', 'r', 'k', everything), 'sample', 'x', 'r'],
    [addresses.compare('x'), 'compare', '', ''],
    [addresses.live(), 'live', '', ''],
  ])('of %s is %s, with a slash at its end as well', (address, name, set, run) => {
    const path = pathOf(address)
    expect(screenOf(path)).toEqual({ name, set, run })
    if (path !== '/') expect(screenOf(`${path}/`)).toEqual({ name, set, run })
  })

  it.each(['/nothing', '/sets/', '/sets/%E0%A4%A', '/sets/x/runs/%/sample', '/sets/x//'])('is none of %s', (path) => {
    expect(screenOf(path)).toBeUndefined()
  })
})
