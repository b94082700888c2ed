import type { Surroundings } from '../../src/cli/surroundings.ts'

const silent = { write: () => undefined, unread: new AbortController().signal, isTerminal: false, columns: () => 80 }

/** Of a process in which nothing but the environment counts. */
export const surroundingsOf = (environment: Surroundings['environment']): Surroundings => ({
  version: '0.0.0',
  environment,
  homeFolder: '/home/me',
  results: silent,
  messages: silent,
  onStopSignal: () => () => undefined,
  runAgain: () => Promise.resolve(0),
  exit: () => {
    throw new Error('ended')
  },
})
