import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { resolveSettings } from '../../../src/cli/settings/resolveSettings.ts'
import { ownFolders } from '../../../src/cli/shared/ownFolders.ts'
import { surroundingsOf } from '../../support/surroundings.ts'

const settings = (flags: Readonly<Record<string, string>>) => resolveSettings({ environment: {}, flags })

it('keeps its own files where XDG says, and ignores a relative XDG folder', () => {
  expect(ownFolders(settings({}), surroundingsOf({}))).toEqual({
    state: '/home/me/.local/state/headlight',
    cache: '/home/me/.cache/headlight',
    engines: '/home/me/.local/share/headlight/engines',
  })
  expect(
    ownFolders(
      settings({}),
      surroundingsOf({ XDG_STATE_HOME: '/var/me', XDG_CACHE_HOME: 'here', XDG_DATA_HOME: '/data' }),
    ),
  ).toEqual({
    state: '/var/me/headlight',
    cache: '/home/me/.cache/headlight',
    engines: '/data/headlight/engines',
  })
})

it('makes a given folder absolute', () => {
  const given = settings({ stateFolder: 'state', cacheFolder: '/cache', enginesFolder: '/engines' })
  expect(ownFolders(given, surroundingsOf({}))).toEqual({
    state: resolve('state'),
    cache: '/cache',
    engines: '/engines',
  })
})
