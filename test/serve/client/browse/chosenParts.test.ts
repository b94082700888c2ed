import { describe, expect, it } from 'vitest'
import { chosenParts, cleared } from '../../../../src/serve/client/browse/chosenParts.ts'
import { everything, writeSelection, type Selection } from '../../../../src/serve/selection.ts'

const chosen: Selection = {
  ranges: { absPoseYaw: { from: 40, to: null }, errorYaw: { from: -5.5, to: 5 }, poseRoll: { from: null, to: 0 } },
  cells: [
    { yaw: 15, pitch: -30 },
    { yaw: 30, pitch: 0 },
  ],
  subjects: ['person 7', ''],
  sequences: ['a'],
  status: 'ok',
  codes: ['image-broken'],
  key: '<b>#?%',
  sort: 'absErrorYaw',
  isDescending: true,
}

describe('what is chosen', () => {
  it('is said in words, part by part', () => {
    expect(chosenParts(chosen).map(({ text }) => text)).toEqual([
      '|yaw| from 40°',
      'roll up to 0°',
      'yaw error −5.5° to 5°',
      'yaw 15 to 30°, pitch −30 to −15°',
      'yaw 30 to 45°, pitch 0 to 15°',
      'subject person 7',
      'without subject',
      'sequence a',
      'not failed',
      'code image-broken',
      'key contains <b>#?%',
    ])
    expect(chosenParts(everything)).toEqual([])
  })

  it('loses one part at a time, and nothing else, until the order alone is left', () => {
    let selection = chosen
    for (let left = chosenParts(chosen).length; left > 0; left--) {
      const [first, ...others] = chosenParts(selection)
      selection = first?.without ?? everything
      expect(chosenParts(selection).map(({ text }) => text)).toEqual(others.map(({ text }) => text))
    }
    expect(writeSelection(selection)).toEqual([['sort', '-absErrorYaw']])
    expect(writeSelection(cleared(chosen))).toEqual(writeSelection(selection))
  })
})
