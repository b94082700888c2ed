import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { AllowedPlaces } from '../../src/storage/allowedPlaces.ts'
import { openStore } from '../../src/storage/open.ts'

const allowed = new AllowedPlaces(['s3://heads/in', 's3://out/, /data/a', 'file:///data/m%C3%BC', 'https://hooks/x'])

test.each([
  's3://heads/in/',
  's3://heads/in',
  's3://heads/in/deeper/',
  'S3://heads/in/',
  's3://out',
  's3://out/anything/at/all/',
  'file:///data/a/',
  'file:///data/a/b/../c/',
  'file:///data/%61/',
  '/data/a',
  '/data/mü/x',
  's3://heads/in/model.pkl',
  'https://hooks/x',
  'https://hooks/x/y?token=1',
])('%s lies within', (uri) => expect(allowed.allows(uri)).toBe(true))

test.each([
  's3://heads/',
  's3://heads/in-secret/',
  's3://heads-secret/in/',
  's3://Heads/in/',
  's3://heads/inner/',
  's3://heads/in/../../secret/',
  's3://heads/in/./x/',
  's3://heads/in//x/',
  's3://heads/%69n/',
  's3:/heads/in/',
  's3://outer/',
  'file:///data/ab/',
  'file:///data/a/../b/',
  'file:///data/a/%2e%2e/b/',
  'file:///data/a%2f..%2fb/',
  'file://host/data/a/',
  'file:data/a',
  '/data/a/../ab',
  '/data',
  'data/a',
  '',
  'http://hooks/x',
  'https://hooks/xy',
  'https://hooks/x/../z',
  'https://hooks/x/%2e%2e/z',
  'https://hooks@evil/x',
  'https://hooks.evil/x',
  'https://hooks:8443/x',
  'https://',
])('%s does not', (uri) => expect(allowed.allows(uri)).toBe(false))

test('a prefix that may mean another place than it looks is refused', () => {
  for (const text of [
    'data/a',
    './a',
    's3://',
    's3:/heads',
    's3://heads/a/../b',
    'ftp://x/',
    's3://heads/a,b/',
    ' ,/a',
  ])
    expect(() => new AllowedPlaces([text])).toThrow(/^--allow cannot take/)
})

test('an endpoint that stands in a job counts only where this process has one of its own', () => {
  const job = { what: 'output', uri: 's3://out/', endpoint: 'http://elsewhere:9000' }
  expect(() => allowed.require(job, null)).toThrow(/is to be reached at http:\/\/elsewhere:9000, which --allow/)
  expect(() => allowed.require(job, 'http://own:9000')).not.toThrow()
  expect(() => allowed.require({ ...job, endpoint: null }, null)).not.toThrow()
  expect(() => allowed.require({ ...job, uri: 's3://other/' }, 'http://own:9000')).toThrow(/lies outside of what/)
})

test('a service that sends on to another place is not followed there', async () => {
  let asked = 0
  const other = createServer((_request, response) => {
    asked++
    response.end('secret')
  })
  const service = createServer((_request, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${(other.address() as AddressInfo).port}/secret/a` }).end()
  })
  for (const server of [other, service]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
  }
  const store = openStore('s3://out/', {
    endpoint: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  onTestFinished(() => store.close())
  await expect(store.get('a')).rejects.toMatchObject({ code: 'bad-option' })
  expect(asked).toBe(0)
})

test('no key leads out of a store', async () => {
  const store = openStore('s3://out/in/', { endpoint: 'http://127.0.0.1:1' })
  onTestFinished(() => store.close())
  for (const key of ['../a', 'a/../../b', './a', 'a/..']) {
    for (const call of [store.get(key), store.head(key)]) await expect(call).rejects.toMatchObject({ code: 'bad-key' })
  }
})
