import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { closeUps } from '../../examples/heads/heads.ts'

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const render = (seed: number, first: number, count: number, side = 64) => [...closeUps({ seed, first, count, side })]

test('one seed gives the same bytes, whatever was rendered before', () => {
  const all = render(3, 0, 5)
  const [last] = render(3, 4, 1)
  expect(last?.pose).toEqual(all[4]?.pose)
  expect(digest(last!.picture.pixels)).toBe(digest(all[4]!.picture.pixels))
  expect(digest(last!.picture.mask)).toBe(digest(all[4]!.picture.mask))
})

test('another seed gives another picture', () => {
  expect(digest(render(3, 0, 1)[0]!.picture.pixels)).not.toBe(digest(render(4, 0, 1)[0]!.picture.pixels))
})

test('heads fill a good part of the picture, and backgrounds are never flat', () => {
  for (const { picture, pose } of render(5, 0, 24)) {
    const inside = picture.mask.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0) / picture.mask.length
    expect(inside).toBeGreaterThan(0.08)
    expect(inside).toBeLessThan(0.75)
    const outside = new Set<number>()
    for (let pixel = 0; pixel < picture.mask.length; pixel++) {
      if (picture.mask[pixel] === 0) outside.add(picture.pixels[3 * pixel + 1]!)
    }
    expect(outside.size).toBeGreaterThan(10)
    expect(Math.abs(pose.yaw)).toBeLessThanOrEqual(75)
    expect(Math.abs(pose.pitch)).toBeLessThanOrEqual(50)
    expect(Math.abs(pose.roll)).toBeLessThanOrEqual(45)
  }
})

test('the surface is closed: no background shows through a head', () => {
  for (const { picture } of render(6, 0, 12, 96)) {
    const { mask, width, height } = picture
    // A pixel off the head with head on all four sides. Hair and the arms of glasses may enclose a little.
    const on = (x: number, y: number) => mask[y * width + x] === 255
    const columns = Array.from({ length: width }, (_, x) => {
      const rows = Array.from({ length: height }, (_row, y) => y).filter((y) => on(x, y))
      return { first: rows[0] ?? height, last: rows.at(-1) ?? -1 }
    })
    let holes = 0
    for (let y = 0; y < height; y++) {
      const row = mask.subarray(y * width, (y + 1) * width)
      for (let x = row.indexOf(255); x >= 0 && x < row.lastIndexOf(255); x++) {
        if (!on(x, y) && y > columns[x]!.first && y < columns[x]!.last) holes++
      }
    }
    expect(holes).toBeLessThan(0.05 * width * height)
  }
})
