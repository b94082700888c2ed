import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { Manifest, type ManifestEntry, type ManifestHeader } from '../../src/output/manifest.ts'
import { World } from '../support/producerWorld.ts'

let world: World
let manifest: Manifest
beforeEach(async () => {
  world = await World.make()
  manifest = new Manifest(world.output, 'set', 'run')
})
afterEach(() => world.remove())

const header: ManifestHeader = { schema: 1, part: 0, through: 'c', count: 3, shardSize: 2, unchanged: 0, gone: [] }
const entries: ManifestEntry[] = ['a', 'b', 'c'].map((key) => ({
  key,
  etag: 'e',
  sizeBytes: 1,
  fingerprint: 'f',
  companions: [],
}))
const putLines = (...lines: string[]) =>
  world.output.put(layout.manifestPart('set', 'run', 0), gzipSync(lines.map((line) => `${line}\n`).join('')))

it('a part is read as it was put, as a whole or a slice of it', async () => {
  expect(await manifest.part(0)).toBeUndefined()
  await manifest.putPart(header, entries)
  const part = await manifest.part(0)
  expect(part?.header).toEqual(header)
  expect(part?.entryCount).toBe(3)
  expect(part?.entries()).toEqual(entries)
  expect(part?.entries(1, 2)).toEqual([entries[1]])
})

it('entries are parsed only when they are asked for; a header that is none is refused at once', async () => {
  await putLines(JSON.stringify({ ...header, count: 2 }), JSON.stringify(entries[0]), 'half a li')
  const part = await manifest.part(0)
  expect(part?.entries(0, 1)).toEqual([entries[0]])
  expect(() => part?.entries()).toThrow(/^line 3 of file:.*00000\.jsonl\.gz is not what this version/)
  await putLines('{"schema":99}')
  await expect(manifest.part(0)).rejects.toMatchObject({
    code: 'bad-layout',
    message: expect.stringMatching(/^line 1 of file:/),
  })
  await world.output.put(layout.manifestPart('set', 'run', 0), 'not zipped')
  await expect(manifest.part(0)).rejects.toMatchObject({
    code: 'bad-layout',
    message: expect.stringMatching(/^file:.*\.gz is not what/),
  })
})

it('counts the entries that are there, not those that the header promises', async () => {
  await putLines(JSON.stringify(header), JSON.stringify(entries[0]))
  expect((await manifest.part(0))?.entryCount).toBe(1)
})
