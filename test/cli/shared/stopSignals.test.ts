import { expect, it } from 'vitest'
import { stopOnSignal } from '../../../src/cli/shared/stopSignals.ts'
import type { StopSignal } from '../../../src/cli/surroundings.ts'
import { surroundingsOf } from '../../support/surroundings.ts'

/** What each signal in turn leads to. */
function heard(signals: readonly StopSignal[]): string[] {
  const said: string[] = []
  let tell: (name: StopSignal) => void = () => undefined
  const surroundings = {
    ...surroundingsOf({}),
    onStopSignal: (listener: (name: StopSignal) => void) => {
      tell = listener
      return () => undefined
    },
    exit: (code: number): never => {
      said.push(`exit ${code}`)
      throw new Error('ended')
    },
  }
  const { signal } = stopOnSignal(surroundings, 'go on', (name) => said.push(`stopping at ${name}`))
  for (const name of signals) {
    try {
      tell(name)
    } catch {
      // Ended.
    }
    if (!signal.aborted) said.push('goes on')
  }
  return said
}

it.each<[StopSignal[], string[]]>([
  [['SIGINT'], ['stopping at SIGINT']],
  [
    ['SIGINT', 'SIGINT'],
    ['stopping at SIGINT', 'exit 130'],
  ],
  [['SIGHUP', 'SIGHUP'], ['stopping at SIGHUP']],
  [['SIGTERM', 'SIGHUP'], ['stopping at SIGTERM']],
  [['SIGHUP', 'SIGTERM'], ['stopping at SIGHUP']],
  [
    ['SIGHUP', 'SIGTERM', 'SIGTERM'],
    ['stopping at SIGHUP', 'exit 130'],
  ],
])('of %j the second that somebody means ends at once', (signals, expected) => {
  expect(heard(signals)).toEqual(expected)
})
