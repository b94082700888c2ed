import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import type { ExternalFile } from '../../src/output/networkFile.ts'
import { prepareResultSet } from '../../src/output/prepareResultSet.ts'
import { readResultSet, resultSetId } from '../../src/output/resultSet.ts'
import { FilesystemStore } from '../../src/storage/filesystem.ts'
import type { Store } from '../../src/storage/store.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { watched, World } from '../support/producerWorld.ts'
import { contents } from '../support/shard.ts'

let world: World
beforeEach(async () => {
  world = await World.make(['a.jpg'])
})
afterEach(() => world.remove())

function prepareIn(dataset: Store, output: Store, externalData?: ExternalFile) {
  return prepareResultSet({
    dataset,
    output,
    network: {
      file: 'tiny.pkl',
      bytes: Buffer.from('weights'),
      digest: 'd1',
      externalData,
      description: {},
      activations: [{ kind: 'relu', count: 3, guided: 3 }],
    },
    options: {
      objectives: ['yaw'],
      scope: 'all',
      style: 'origin',
      gradients: 'none',
      logits: false,
      adapter: { name: 'images', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: false },
      maxPixels: 1_000,
    },
    headlightVersion: '0.0.0',
  })
}

describe('preparing a result set', () => {
  it('writes set.json and the network once, and finds them again', async () => {
    const set = await world.prepare()
    const keys: string[] = []
    for await (const { key } of world.output.list()) keys.push(key)
    const network = `${set.id}/network/tiny.pkl`
    expect(keys.toSorted()).toEqual([network, `${network}.activations.json`, `${set.id}/set.json`])
    const stored = await world.output.head(layout.set(set.id))
    expect(await readResultSet(world.output, set.id)).toEqual(set)
    expect(await world.prepare()).toEqual(set)
    expect((await world.output.head(layout.set(set.id)))?.etag).toBe(stored?.etag)
  })

  it('gives other choices another set', async () => {
    expect((await world.prepare(['yaw'])).id).not.toBe((await world.prepare(['pitch'])).id)
  })

  describe('of a network with a second file', () => {
    const second = (text: string): ExternalFile => ({
      file: 'tiny.data',
      digest: `of ${text}`,
      bytes: Buffer.from(text),
    })

    it('writes both files before set.json, each once', async () => {
      const puts: string[] = []
      const output = watched(world.output, { before: (key) => puts.push(key) })
      const set = await prepareIn(world.dataset, output, second('one'))
      expect(puts).toEqual(
        ['network/tiny.pkl', 'network/tiny.data', 'network/tiny.pkl.activations.json', 'set.json'].map(
          (key) => `${set.id}/${key}`,
        ),
      )
      expect(set.network).toEqual({
        file: 'tiny.pkl',
        digest: 'd1',
        externalData: { file: 'tiny.data', digest: 'of one' },
        description: {},
      })
      expect(await prepareIn(world.dataset, output, second('one'))).toEqual(set)
      expect(puts).toHaveLength(4)
      expect(await readResultSet(world.output, set.id)).toEqual(set)
    })

    it('makes another set when only the second file is another, and leaves the first as it is', async () => {
      const first = await prepareIn(world.dataset, world.output, second('one'))
      const before = await contents(world.output, `${first.id}/`)
      const other = await prepareIn(world.dataset, world.output, second('two'))
      expect(other.id).not.toBe(first.id)
      expect((await prepareIn(world.dataset, world.output)).id).not.toBe(first.id)
      expect(await contents(world.output, `${first.id}/`)).toEqual(before)
    })

    it('does not ask what the second file is called', async () => {
      const {
        id,
        headlightVersion: _,
        createdAt: __,
        schema: ___,
        ...made
      } = await prepareIn(world.dataset, world.output, second('one'))
      const renamed = { ...made.network, externalData: { file: 'other.data', digest: 'of one' } }
      expect(resultSetId({ ...made, network: renamed })).toBe(id)
    })

    it('refuses a set of its name whose second file was another', async () => {
      const set = await prepareIn(world.dataset, world.output, second('one'))
      const network = { ...set.network, externalData: { file: 'tiny.data', digest: 'of two' } }
      await world.output.put(layout.set(set.id), JSON.stringify({ ...set, network }))
      await expect(prepareIn(world.dataset, world.output, second('one'))).rejects.toMatchObject({ code: 'bad-layout' })
    })
  })

  it('refuses what something else wrote under its name', async () => {
    const set = await world.prepare()
    await world.output.put(layout.set(set.id), JSON.stringify({ ...set, resultVersion: 99 }))
    await expect(world.prepare()).rejects.toMatchObject({ code: 'bad-layout' })
    await world.output.put(layout.set(set.id), 'not json')
    await expect(world.prepare()).rejects.toMatchObject({ code: 'bad-layout' })
  })

  it.each([
    ['the same folder', 'dataset', 'dataset'],
    ['inside the dataset', 'dataset', 'dataset/out/deep'],
    ['around the dataset', 'dataset/images', 'dataset'],
    ['inside it through a link', 'dataset', 'link/out'],
    ['around it through a link', 'link/images', 'dataset'],
  ])('refuses an output that is %s, before anything is written', async (_what, from, to) => {
    await mkdir(join(world.folder, 'dataset/images'))
    await symlink(join(world.folder, 'dataset'), join(world.folder, 'link'))
    const [dataset, output] = [from, to].map((name) => new FilesystemStore(join(world.folder, name)))
    if (dataset === undefined || output === undefined) throw new Error('unreachable')
    const puts: string[] = []
    const seen = wrapped(output, { put: async (key) => (puts.push(key), 'etag') })
    await expect(prepareIn(dataset, seen)).rejects.toMatchObject({ code: 'bad-layout' })
    expect(puts).toEqual([])
  })

  it('tells names that only begin alike, and servers, apart', async () => {
    await mkdir(join(world.folder, 'dataset-output'))
    await prepareIn(world.dataset, new FilesystemStore(join(world.folder, 'dataset-output')))
    const s3 = (uri: string, endpoint: string) => wrapped(world.output, { uri, endpoint })
    await expect(prepareIn(s3('s3://b/x/', 'http://one'), s3('s3://b/x/y/', 'http://one'))).rejects.toMatchObject({
      code: 'bad-layout',
    })
    await prepareIn(s3('s3://b/x/', 'http://one'), s3('s3://b/x/y/', 'http://two'))
  })
})
