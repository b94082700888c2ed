import { describe, expect, it } from 'vitest'
import { Turning } from '../../../../src/serve/client/sample/turning.ts'

/** Images 0 to 9 in a row, of which one is shown; answers come when the test says so. */
function turned(first: number) {
  let image = first
  const gone: number[] = []
  const turning = new Turning((key) => {
    image = Number(key)
    gone.push(image)
    turning.shows(key, null)
  })
  const key = (of: number) => (of < 0 || of > 9 ? null : String(of))
  const answer = () => turning.shows(String(image), { previous: key(image - 1), next: key(image + 1) })
  turning.shows(String(first), null)
  answer()
  return { turning, gone, answer }
}

describe('turning from image to image', () => {
  it('takes a step for each press, though the answers come later', () => {
    const { turning, gone, answer } = turned(2)
    for (let press = 0; press < 4; press++) turning.press('next', false)
    expect(gone).toEqual([3])
    for (let answers = 0; answers < 6; answers++) answer()
    expect(gone).toEqual([3, 4, 5, 6])
  })

  it('goes nowhere by presses that cancel each other out, and ends at either end', () => {
    const { turning, gone, answer } = turned(8)
    for (const direction of ['next', 'next', 'next', 'next', 'previous'] as const) turning.press(direction, false)
    answer()
    expect(gone).toEqual([9])
    // What would have gone beyond the end is not owed.
    turning.press('previous', false)
    expect(gone).toEqual([9, 8])
  })

  it('does not go on after a held key is let go', () => {
    const { turning, gone, answer } = turned(2)
    turning.press('next', false)
    for (let repeat = 0; repeat < 5; repeat++) turning.press('next', true)
    answer()
    expect(gone).toEqual([3])
    turning.press('next', true)
    answer()
    expect(gone).toEqual([3, 4])
  })

  it('forgets the steps to come when the reader goes to another image, or nothing is around this one', () => {
    const { turning, gone, answer } = turned(2)
    turning.press('next', false)
    turning.press('next', false)
    turning.shows('7', { previous: '6', next: '8' })
    expect(gone).toEqual([3])
    turning.press('next', false)
    turning.press('next', false)
    turning.stop()
    answer()
    expect(gone).toEqual([3, 8])
  })
})
