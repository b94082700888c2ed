import { describe, expect, it } from 'vitest'
import { ProgressDisplay } from '../../../src/cli/messages/progressDisplay.ts'

function screen(isTerminal: boolean, silent = false) {
  const written: string[] = []
  const clock = { ms: 0 }
  const output = {
    write: (text: string) => void written.push(text),
    unread: new AbortController().signal,
    isTerminal,
    columns: () => 60,
  }
  return { written, clock, display: new ProgressDisplay(output, { silent, now: () => clock.ms }) }
}

const at = (computed: number) =>
  ({ phase: 'computing', listed: 100, toCompute: 100, computed, failed: 0, unchanged: 0 }) as const

describe('on a terminal', () => {
  it('rewrites one line, at most five times a second', () => {
    const { written, clock, display } = screen(true)
    for (clock.ms = 0; clock.ms < 1000; clock.ms += 10) display.update(at(clock.ms / 10))
    expect(written.length).toBe(5)
    for (const text of written) expect(text).toMatch(/^\r\u001b\[K[^\n]*$/)
  })

  it('writes messages above the line and takes the line away at the end', () => {
    const { written, display } = screen(true)
    display.update(at(5))
    display.write('a warning')
    display.end()
    expect(written.join('')).toBe(
      '\r\u001b[K5/100 images (5 %) · 0 failed\r\u001b[Ka warning\n\r\u001b[K5/100 images (5 %) · 0 failed\r\u001b[K',
    )
  })
})

describe('elsewhere', () => {
  it('writes a line when a phase begins and then one per half minute', () => {
    const { written, clock, display } = screen(false)
    display.update({ ...at(0), phase: 'listing', toCompute: null })
    for (clock.ms = 0; clock.ms <= 65_000; clock.ms += 200) display.update(at(Math.floor(clock.ms / 1000)))
    display.update({ ...at(100), phase: 'finalizing' })
    expect(written).toEqual([
      'listing the dataset\n',
      'computing\n',
      '30/100 images (30 %) · 1:10 left · 1.0 images/s · 0 failed\n',
      '60/100 images (60 %) · 0:40 left · 1.0 images/s · 0 failed\n',
      'writing the table and the report\n',
    ])
  })

  it('does not repeat a line that says the same', () => {
    const { written, clock, display } = screen(false)
    for (clock.ms = 0; clock.ms <= 185_000; clock.ms += 500) display.update(at(clock.ms < 40_000 ? 10 : 14))
    expect(written).toEqual(['computing\n', '10/100 images (10 %) · 0 failed\n', '14/100 images (14 %) · 0 failed\n'])
  })

  it('says so when there is nothing to compute', () => {
    const { written, display } = screen(false)
    display.update({ ...at(0), phase: 'listing', toCompute: null })
    display.update({ ...at(0), phase: 'finalizing', toCompute: 0, unchanged: 100 })
    expect(written).toEqual(['listing the dataset\n', 'nothing to compute\n'])
  })

  it('says how far the report is', () => {
    const { written, clock, display } = screen(false)
    display.update({ ...at(100), phase: 'finalizing' })
    for (clock.ms = 0; clock.ms < 35_000; clock.ms += 500)
      display.update({ ...at(100), phase: 'finalizing', report: { drawn: clock.ms / 500, of: 400 } })
    expect(written).toEqual(['writing the table and the report\n', 'drawing the report, 60/400 images · 0 failed\n'])
  })

  it('says nothing of a report that is not drawn', () => {
    const { written, display } = screen(false)
    display.update({ ...at(100), phase: 'finalizing', report: null })
    expect(written).toEqual(['writing the table\n'])
  })

  it('says what is out of the ordinary when it begins', () => {
    const { written, clock, display } = screen(false)
    display.update(at(0))
    for (clock.ms = 200; clock.ms < 2_000; clock.ms += 200) display.update({ ...at(5), message: 'the store is away' })
    display.update(at(5))
    expect(written).toEqual(['computing\n', 'the store is away\n'])
  })

  it('leaves out what the log says', () => {
    const { written, display } = screen(false)
    display.update(at(0))
    display.update({ ...at(0), message: 'Redis is away', isLogged: true })
    expect(written).toEqual(['computing\n'])
  })
})

it('writes nothing but messages when it shall be quiet', () => {
  for (const isTerminal of [true, false]) {
    const { written, display } = screen(isTerminal, true)
    display.update(at(5))
    display.write('a warning')
    display.update({ ...at(6), message: 'the store is away' })
    display.update({ ...at(7), message: 'the store is away' })
    display.end()
    expect(written).toEqual(['a warning\n', 'the store is away\n'])
  }
})
