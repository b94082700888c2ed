import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { ownFolders, unitCount } from '../../src/cli/machine.ts'
import { resolveSettings } from '../../src/cli/settings.ts'
import type { Surroundings } from '../../src/cli/terminal.ts'

const settings = (flags: Readonly<Record<string, string>>) => resolveSettings({ environment: {}, flags })
const output = { write: () => undefined, isTerminal: false, columns: () => 80 }
const surroundings = (environment: Readonly<Record<string, string>>): Surroundings => ({
  version: '0.0.0',
  environment,
  homeFolder: '/home/me',
  results: output,
  messages: output,
  onStopSignal: () => () => undefined,
  runAgain: () => Promise.resolve(0),
  exit: () => {
    throw new Error('ended')
  },
})

it('keeps its own files where XDG says, and ignores a relative XDG folder', () => {
  expect(ownFolders(settings({}), surroundings({}))).toEqual({
    state: '/home/me/.local/state/headlight',
    cache: '/home/me/.cache/headlight',
    engines: '/home/me/.local/share/headlight/engines',
  })
  expect(
    ownFolders(
      settings({}),
      surroundings({ XDG_STATE_HOME: '/var/me', XDG_CACHE_HOME: 'here', XDG_DATA_HOME: '/data' }),
    ),
  ).toEqual({
    state: '/var/me/headlight',
    cache: '/home/me/.cache/headlight',
    engines: '/data/headlight/engines',
  })
})

it('makes a given folder absolute', () => {
  const given = settings({ stateFolder: 'state', cacheFolder: '/cache', enginesFolder: '/engines' })
  expect(ownFolders(given, surroundings({}))).toEqual({ state: resolve('state'), cache: '/cache', engines: '/engines' })
})

it('starts as many units as were asked for, else no more than there are cores', () => {
  expect(unitCount(settings({ units: '7' }))).toBe(7)
  expect(unitCount(settings({}))).toBeGreaterThanOrEqual(1)
  expect(unitCount(settings({}))).toBeLessThanOrEqual(availableParallelism())
})
