import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { MapCollisions } from '../../src/producer/mapCollisions.ts'
import { sortKeys } from '../../src/storage/keyOrder.ts'

/** The obvious way: a sample collides when its map or gradient equals, or lies below, one of an earlier sample. */
function colliding(keys: readonly string[]): string[] {
  const accepted: string[] = []
  const refused: string[] = []
  for (const key of keys) {
    const mine = [layout.map('o', key), layout.gradient('o', key)]
    const clash = accepted.some((earlier) =>
      [layout.map('o', earlier), layout.gradient('o', earlier)].some((theirs) =>
        mine.some((name) => name === theirs || name.startsWith(`${theirs}/`)),
      ),
    )
    ;(clash ? refused : accepted).push(key)
  }
  return refused
}

function found(keys: readonly string[], resumeAt = Infinity): string[] {
  let collisions = new MapCollisions()
  return keys.filter((key, i) => {
    if (i === resumeAt) collisions = new MapCollisions(JSON.parse(JSON.stringify(collisions.prefixes)))
    return collisions.collides(key)
  })
}

describe('collisions of maps in a sorted listing', () => {
  it('sees the pair across the keys that sort between', () => {
    const keys = ['a.jpg', 'a.jpg (1).jpg', 'a.jpg-1.jpg', 'a.jpg.jpg', 'a.jpg.png', 'a.jpg.png.png', 'b.jpg']
    expect(found(keys)).toEqual(['a.jpg.png'])
  })

  it('sees a map in the way of a folder', () => {
    expect(found(['a.png', 'a.png.jpg', 'a.png/b.jpg'])).toEqual(['a.png/b.jpg'])
    expect(found(['a.jpg', 'a.jpg.png/b.jpg'])).toEqual(['a.jpg.png/b.jpg'])
  })

  it('agrees with comparing all pairs, also when the listing stops and goes on', () => {
    const piece = fc.constantFrom('a', '.png', '.PNG', '.npy', '/', '-', '.jpg')
    const keys = fc.array(
      fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join('')),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(keys, fc.nat(20), (listed, resumeAt) => {
        const sorted = sortKeys([...new Set(listed)])
        expect(found(sorted, resumeAt)).toEqual(colliding(sorted))
      }),
    )
  })
})
