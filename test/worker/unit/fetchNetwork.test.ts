import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { PlaceError } from '../../../src/base/errors.ts'
import { openStore } from '../../../src/storage/open.ts'
import { fetchNetwork, networkSize } from '../../../src/worker/unit/fetchNetwork.ts'
import { resultSet, withFaults } from '../../support/shard.ts'

async function storedNetwork(bytes = 'weights') {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-network-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const output = openStore(join(folder, 'out'))
  await output.check('write')
  const plain = resultSet('file:///d/')
  const digest = createHash('sha256').update('weights').digest('hex')
  const set = { ...plain, network: { ...plain.network, digest } }
  await output.put(`${set.id}/network/${set.network.file}`, bytes)
  return { output, set, cache: join(folder, 'cache'), digest }
}

test('a network is fetched once and then comes from the cache', async () => {
  const { output, set, cache, digest } = await storedNetwork()
  expect(Buffer.from((await fetchNetwork(output, set, cache)).bytes).toString()).toBe('weights')
  expect(await readdir(join(cache, 'networks'))).toEqual([digest])
  const silent = withFaults(output, { get: () => Promise.reject(new Error('fetched again')) })
  expect(Buffer.from((await fetchNetwork(silent, set, cache)).bytes).toString()).toBe('weights')
})

test('its size is known before it is read, from the cache or the store', async () => {
  const { output, set, cache } = await storedNetwork()
  const unread = withFaults(output, { get: () => Promise.reject(new Error('fetched')) })
  expect(await networkSize(unread, set, cache)).toBe(7)
  await fetchNetwork(output, set, cache)
  const silent = withFaults(unread, { head: () => Promise.reject(new Error('asked')) })
  expect(await networkSize(silent, set, cache)).toBe(7)
  await output.delete(`${set.id}/network/${set.network.file}`)
  expect(await networkSize(output, set, join(cache, 'other'))).toBe(0)
})

test('a damaged cache is replaced', async () => {
  const { output, set, cache, digest } = await storedNetwork()
  await fetchNetwork(output, set, cache)
  await writeFile(join(cache, 'networks', digest), 'half')
  expect(Buffer.from((await fetchNetwork(output, set, cache)).bytes).toString()).toBe('weights')
  expect(await readFile(join(cache, 'networks', digest), 'utf8')).toBe('weights')
})

test('a network that is not what its digest names is refused and not cached', async () => {
  const { output, set, cache } = await storedNetwork('other weights')
  await expect(fetchNetwork(output, set, cache)).rejects.toMatchObject({
    name: PlaceError.name,
    code: 'network-mismatch',
  })
  expect(await readdir(cache).catch(() => [])).toEqual([])
})

test('a missing network is a fault of the place', async () => {
  const { output, set, cache } = await storedNetwork()
  await output.delete(`${set.id}/network/${set.network.file}`)
  await expect(fetchNetwork(output, set, cache)).rejects.toMatchObject({ code: 'store-gone' })
})

describe('a network with a second file', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

  async function storedPair() {
    const { output, set: plain, cache } = await storedNetwork()
    const externalData = { file: 'tiny.pkl.data', digest: sha256('second') }
    const set = { ...plain, network: { ...plain.network, externalData } }
    const key = `${set.id}/network/tiny.pkl.data`
    await output.put(key, 'second')
    return { output, set, cache, key }
  }

  test('is fetched with it, once, and as large as both', async () => {
    const { output, set, cache } = await storedPair()
    expect(await networkSize(output, set, cache)).toBe('weightssecond'.length)
    const fetched = await fetchNetwork(output, set, cache)
    expect(fetched.externalData?.file).toBe('tiny.pkl.data')
    const texts = [fetched.bytes, fetched.externalData?.bytes].map((bytes) => Buffer.from(bytes ?? '').toString())
    expect(texts).toEqual(['weights', 'second'])
    const silent = withFaults(output, {
      get: () => Promise.reject(new Error('fetched again')),
      head: () => Promise.reject(new Error('asked')),
    })
    expect(await fetchNetwork(silent, set, cache)).toEqual(fetched)
    expect(await networkSize(silent, set, cache)).toBe('weightssecond'.length)
  })

  test.each([
    ['another', 'sec0nd', 'network-mismatch'],
    ['missing', undefined, 'store-gone'],
  ] as const)('is refused by the name of the second where that is %s', async (_, bytes, code) => {
    const { output, set, cache, key } = await storedPair()
    await (bytes === undefined ? output.delete(key) : output.put(key, bytes))
    await expect(fetchNetwork(output, set, cache)).rejects.toMatchObject({
      name: PlaceError.name,
      code,
      message: expect.stringContaining(`${output.uri}${key} `) as string,
    })
    expect(await readdir(join(cache, 'networks'))).toEqual([set.network.digest])
  })
})

test('a cache that cannot be written costs only time', async () => {
  const { output, set, cache } = await storedNetwork()
  await writeFile(cache, 'a file where the folder should be')
  expect(Buffer.from((await fetchNetwork(output, set, cache)).bytes).toString()).toBe('weights')
})
