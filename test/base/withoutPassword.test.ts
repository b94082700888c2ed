import { expect, it } from 'vitest'
import { withoutPassword } from '../../src/base/telemetry.ts'
import { resolveSettings } from '../../src/cli/settings/resolveSettings.ts'

it.each([
  ['rediss://user:hunter2@host:6379/0', 'rediss://user:***@host:6379/0'],
  ['redis://u:hun/ter2@h', 'redis://u:***@h'],
  ['https://hunter2@h', 'https://***@h'],
  ['redis://:hunt@er2@h', 'redis://:***@h'],
  ['redis+unix:///run/redis.sock?db=1&password=hunter2&x=1', 'redis+unix:///run/redis.sock?db=1&password=***&x=1'],
  ['ftp://key:hunter2@host', 'ftp://key:***@host'],
  ['https://key:hun?ter2@host', 'https://key:***@host'],
  ['https://key:hun#t?er@2@host', 'https://key:***@host'],
  [
    'redis+sentinel://h1,h2/main?sentinelUser=ann&sentinelPassword=hunter2',
    'redis+sentinel://h1,h2/main?sentinelUser=ann&sentinelPassword=***',
  ],
  // Nothing secret: unchanged.
  ['s3://bucket/a@b/', 's3://bucket/a@b/'],
  ['http://host:9000/a?mail=a@b', 'http://host:9000/a?mail=a@b'],
  ['./folder with @/', './folder with @/'],
])('%s is shown as %s', (url, shown) => {
  expect(withoutPassword(url)).toBe(shown)
})

it('a refused setting is shown without its password', () => {
  const flags = { s3Endpoint: 'ftp://key:hunter2@host' }
  expect(() => resolveSettings({ environment: {}, flags })).toThrow(/, not "ftp:\/\/key:\*\*\*@host"$/)
})
