import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../src/storage/open.ts'

describe('openStore', () => {
  it.each([
    ['s3://bucket', 's3://bucket/'],
    ['s3://bucket/a', 's3://bucket/a/'],
    ['s3://bucket/a b/c%20+/', 's3://bucket/a b/c%20+/'],
    ['S3://bucket/a', 's3://bucket/a/'],
    ['file:///data/a%20b', 'file:///data/a%20b/'],
    ['/data/a b/', 'file:///data/a%20b/'],
    ['/data/100%/#1?', 'file:///data/100%25/%231%3F/'],
    ['/data/../x/./y', 'file:///x/y/'],
    ['/', 'file:///'],
    ['./data', `file://${resolve('data')}/`],
    ['data', `file://${resolve('data')}/`],
  ])('%s is %s', (uri, canonical) => {
    const store = openStore(uri, { endpoint: 'http://127.0.0.1:9000/' })
    expect(store.uri).toBe(canonical)
    expect(openStore(canonical).uri).toBe(canonical)
    expect(store.endpoint).toBe(uri.toLowerCase().startsWith('s3:') ? 'http://127.0.0.1:9000' : undefined)
  })

  it.each([
    '',
    ' ',
    's3://',
    's3:///key',
    's3:/bucket/x',
    's3:bucket',
    'file:x',
    'https:/host/x',
    's3://b cket/x',
    'https://host/bucket',
    'gs://bucket',
    'file://host/x',
    'a\0b',
  ])('refuses %j', (uri) => {
    expect(() => openStore(uri)).toThrow(expect.objectContaining({ name: 'InputError', code: 'bad-uri' }) as Error)
  })

  it.each(['localhost:9000', 'ftp://host', 'nonsense', 'http://user:secret@host'])(
    'refuses the endpoint %s',
    (endpoint) => {
      let raised: unknown
      try {
        openStore('s3://bucket', { endpoint })
      } catch (error) {
        raised = error
      }
      expect(raised).toMatchObject({ name: 'InputError', code: 'bad-option' })
      expect(String(raised)).not.toContain('secret')
    },
  )

  it('says how an S3 URI is written', () => {
    expect(() => openStore('s3:/bucket/x')).toThrow(
      'cannot open "s3:/bucket/x": two slashes follow the colon; write s3://bucket/prefix',
    )
  })

  it('shows no password of a URI', () => {
    expect(() => openStore('https://user:secret@host/bucket')).toThrow(/user:\*\*\*@host/)
  })
})
