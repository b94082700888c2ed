import { beforeEach, describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import type { ShardMaps } from '../../src/output/mapPlaces.ts'
import { halfPatterns, MapReader, readSpan } from '../../src/output/mapReader.ts'
import { mapPixels } from '../../src/output/poseMaps.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { memoryOutput } from '../support/memoryOutput.ts'

const objectives = 2
const set = 'set'

function fileAt(offset: number, changes: Partial<ShardMaps> = {}): ShardMaps {
  return { run: 'run', part: 0, offset, samples: '', count: 4, hasInputs: true, ...changes }
}

let output: ReturnType<typeof memoryOutput>
let asked: string[]
let watched: typeof output
beforeEach(() => {
  output = memoryOutput()
  asked = []
  const get: typeof output.get = (key, options) => {
    asked.push(key)
    return output.get(key, options)
  }
  watched = { ...wrapped(output, { get }), objects: output.objects }
})

/** Every number of a sample is its own: 100 · offset + slot; its grey levels are slot. */
async function put(file: ShardMaps): Promise<void> {
  const { run, part, offset, samples, count } = file
  const patterns = Uint16Array.from(
    { length: count * objectives * mapPixels },
    (_, i) => 100 * offset + Math.floor(i / (objectives * mapPixels)),
  )
  await output.put(layout.magnitudeFile(set, run, part, offset, samples), new Uint8Array(patterns.buffer))
  const levels = Uint8Array.from({ length: count * mapPixels }, (_, i) => Math.floor(i / mapPixels))
  if (file.hasInputs) await output.put(layout.inputFile(set, run, part, offset, samples), levels)
}

describe('maps are read by their place', () => {
  it('from the file and the slot', async () => {
    const file = fileAt(8, { samples: 'abc' })
    await put(file)
    const reader = new MapReader(watched, set, objectives)
    const maps = await reader.magnitudes({ file, slot: 3 })
    expect(maps).toEqual(new Uint16Array(objectives * mapPixels).fill(803))
    expect(await reader.input({ file, slot: 2 })).toEqual(new Uint8Array(mapPixels).fill(2))
    expect(await reader.magnitudes({ file, slot: 4 })).toBeUndefined()
    expect(await reader.input({ file, slot: 4 })).toBeUndefined()
  })

  it('a file once, though neighbours ask for it at the same time', async () => {
    const file = fileAt(0)
    await put(file)
    const reader = new MapReader(watched, set, objectives)
    await Promise.all([0, 1, 2].map((slot) => reader.magnitudes({ file, slot })))
    await reader.magnitudes({ file, slot: 3 })
    expect(asked).toEqual([layout.magnitudeFile(set, 'run', 0, 0)])
  })

  it('keeps the files that were asked for last, and no more than some', async () => {
    const files = Array.from({ length: 33 }, (_, i) => fileAt(i))
    for (const file of files) await put(file)
    const reader = new MapReader(watched, set, objectives)
    for (const file of files.slice(0, 32)) await reader.magnitudes({ file, slot: 0 })
    await reader.magnitudes({ file: fileAt(0), slot: 0 })
    await reader.magnitudes({ file: fileAt(32), slot: 0 })
    asked.length = 0
    await reader.magnitudes({ file: fileAt(0), slot: 0 })
    expect(asked).toEqual([])
    // The one that has not been asked for longest.
    await reader.magnitudes({ file: fileAt(1), slot: 0 })
    expect(asked).toHaveLength(1)
  })

  it('has none where a file is gone, is not of its size, or is of a version without inputs', async () => {
    const reader = new MapReader(output, set, objectives)
    expect(await reader.magnitudes({ file: fileAt(0), slot: 0 })).toBeUndefined()
    await put(fileAt(8))
    expect(await reader.magnitudes({ file: fileAt(8, { count: 3 }), slot: 0 })).toBeUndefined()
    expect(await reader.input({ file: fileAt(8, { count: 3 }), slot: 0 })).toBeUndefined()
    expect(await reader.input({ file: fileAt(8, { hasInputs: false }), slot: 0 })).toBeUndefined()
  })

  it('again after a fault of the store', async () => {
    const file = fileAt(0)
    await put(file)
    let isDown = true
    const get: typeof output.get = (key, options) => {
      if (isDown) throw new Error('down')
      return output.get(key, options)
    }
    const reader = new MapReader(wrapped(output, { get }), set, objectives)
    await expect(reader.magnitudes({ file, slot: 1 })).rejects.toThrow('down')
    isDown = false
    expect((await reader.magnitudes({ file, slot: 1 }))?.[0]).toBe(1)
  })
})

it('few samples of a file are read without the others', async () => {
  const file = fileAt(0)
  await put(file)
  let bytes = 0
  const get: typeof output.get = async (key, options) => {
    const found = await output.get(key, options)
    bytes += found?.bytes.byteLength ?? 0
    return found
  }
  const span = await readSpan(wrapped(output, { get }), set, objectives, file, 2, 3)
  expect(span?.at(0).magnitudes).toEqual(new Uint16Array(objectives * mapPixels).fill(2))
  expect(span?.at(0).input).toEqual(new Uint8Array(mapPixels).fill(2))
  expect(bytes).toBe(objectives * mapPixels * 2 + mapPixels)
  const other = { ...file, count: 100 }
  expect(await readSpan(output, set, objectives, other, 2, 3)).toBeUndefined()
})

it('numbers of two bytes are read from an odd address as well', () => {
  const bytes = new Uint8Array([9, 1, 0, 2, 1]).subarray(1)
  expect([...halfPatterns(bytes)]).toEqual([1, 258])
})
