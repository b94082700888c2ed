import { describe, expect, it } from 'vitest'
import { Typing } from '../../../../src/serve/client/browse/typing.ts'
import { everything } from '../../../../src/serve/selection.ts'

const from = (yaw: number) => ({ ...everything, ranges: { absPoseYaw: { from: yaw, to: null } } })

describe('a step that Back goes to', () => {
  it('is what came before the first letter, and not each letter', () => {
    const typing = new Typing()
    expect(typing.goesOn('absPoseYaw', everything, from(4))).toBe(false)
    expect(typing.goesOn('absPoseYaw', from(4), from(40))).toBe(true)
    expect(typing.goesOn('absPoseYaw', from(40), everything)).toBe(true)
  })

  it('is what was typed into another field, clicked, or come back to', () => {
    const typing = new Typing()
    const named = { ...from(4), key: 'a' }
    typing.goesOn('absPoseYaw', everything, from(4))
    expect(typing.goesOn('key', from(4), named)).toBe(false)
    // A bar.
    expect(typing.goesOn(null, named, from(60))).toBe(false)
    expect(typing.goesOn('absPoseYaw', from(60), from(6))).toBe(false)
    // Back to what there was before it.
    expect(typing.goesOn('absPoseYaw', from(60), from(65))).toBe(false)
  })
})
