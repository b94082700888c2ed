import { describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { MapPlacesWriter, openMapPlaces, type MapPlace, type ShardMaps } from '../../src/output/mapPlaces.ts'
import type { Store } from '../../src/storage/store.ts'
import { memoryOutput } from '../support/memoryOutput.ts'
import { collected } from '../support/producerWorld.ts'

const fileAt = (run: string, offset: number): ShardMaps => ({
  run,
  part: 0,
  offset,
  samples: '',
  count: 256,
  hasInputs: true,
})
const files = [fileAt('b', 0), fileAt('a', 256), { ...fileAt('a', 0), samples: '0123456789ab', hasInputs: false }]

async function written(places: Iterable<MapPlace | null>): Promise<ReturnType<typeof memoryOutput>> {
  const output = memoryOutput()
  const object = output.write(layout.mapPlaces('set', 'run'))
  const writer = new MapPlacesWriter(object)
  for (const place of places) await writer.add(place)
  await writer.finish()
  await object.commit()
  return output
}

async function placesOf(output: Store): Promise<(MapPlace | null)[]> {
  const found = await openMapPlaces(output, 'set', 'run')
  return found === undefined ? [] : collected(found.places())
}

function* many(count: number): Generator<MapPlace | null> {
  for (let i = 0; i < count; i++) {
    const file = files[i % 4]
    yield file === undefined ? null : { file, slot: i % 256 }
  }
}

// The second is a whole buffer, the third one row more.
it.each([0, 65_536, 65_537])('%d places are read as they were written', async (count) => {
  const output = await written(many(count))
  const found = await openMapPlaces(output, 'set', 'run')
  expect(found?.rows).toBe(count)
  expect(JSON.stringify(await placesOf(output))).toBe(JSON.stringify([...many(count)]))
  expect(output.objects.get(layout.mapPlaces('set', 'run'))?.byteLength).toBeLessThan(8 * count + 500)
})

it('names each file once, as it is needed first, equal ones by whoever holds them', async () => {
  const output = await written([...many(6), { file: { ...fileAt('b', 0) }, slot: 1 }])
  expect((await openMapPlaces(output, 'set', 'run'))?.files).toEqual(files)
})

it('has none where there is no file', async () => {
  expect(await openMapPlaces(memoryOutput(), 'set', 'run')).toBeUndefined()
})

describe('a file that is another’s', () => {
  const key = layout.mapPlaces('set', 'run')
  const cases: readonly [string, (bytes: Buffer) => Buffer][] = [
    ['nothing', () => Buffer.alloc(0)],
    ['cut off', (bytes) => bytes.subarray(0, -1)],
    ['with a row less', (bytes) => bytes.subarray(8)],
    ['with another end', (bytes) => Buffer.concat([bytes.subarray(0, -4), Buffer.from('PAR1')])],
    [
      'with an absurd length of its end',
      (bytes) => Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(4, 0xff), Buffer.from('HLMP')]),
    ],
    [
      'of another schema',
      (bytes) => Buffer.from(bytes.toString('latin1').replace('"schema":1', '"schema":2'), 'latin1'),
    ],
  ]
  it.each(cases)('is refused: %s', async (_, damage) => {
    const output = await written(many(5))
    await output.put(key, damage(Buffer.from(output.objects.get(key) ?? '')))
    await expect(openMapPlaces(output, 'set', 'run')).rejects.toMatchObject({
      code: 'bad-layout',
      message: expect.stringContaining('map-places.bin'),
    })
  })

  it.each([
    [17, 0],
    [0, 256],
  ])('is refused when it is read: file %d, slot %d', async (number, slot) => {
    const output = await written(many(5))
    const bytes = Buffer.from(output.objects.get(key) ?? '')
    bytes.writeUInt32LE(number, 0)
    bytes.writeUInt32LE(slot, 4)
    await output.put(key, bytes)
    await expect(placesOf(output)).rejects.toMatchObject({ code: 'bad-layout' })
  })
})
