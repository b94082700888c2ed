import { beforeEach, describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import type { ShardMaps } from '../../src/output/mapPlaces.ts'
import { halfPatterns, readSpan } from '../../src/output/mapReader.ts'
import { mapPixels } from '../../src/output/poseMaps.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { memoryOutput } from '../support/memoryOutput.ts'

const objectives = 2
const set = 'set'

function fileAt(offset: number, changes: Partial<ShardMaps> = {}): ShardMaps {
  return { run: 'run', part: 0, offset, samples: '', count: 4, hasInputs: true, ...changes }
}

let output: ReturnType<typeof memoryOutput>
beforeEach(() => {
  output = memoryOutput()
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

describe('maps of neighbouring samples', () => {
  it('are read from their file and slots', async () => {
    const file = fileAt(8, { samples: 'abc' })
    await put(file)
    const span = await readSpan(output, set, objectives, file, 1, 4)
    expect(span?.at(2).magnitudes).toEqual(new Uint16Array(objectives * mapPixels).fill(803))
    expect(span?.at(1).input).toEqual(new Uint8Array(mapPixels).fill(2))
    expect(await readSpan(output, set, objectives, file, 3, 5)).toBeUndefined()
  })

  it('are none where their file is gone or not of its size, and without inputs in one of an earlier version', async () => {
    expect(await readSpan(output, set, objectives, fileAt(0), 0, 4)).toBeUndefined()
    await put(fileAt(8))
    expect(await readSpan(output, set, objectives, fileAt(8, { count: 3 }), 0, 3)).toBeUndefined()
    const span = await readSpan(output, set, objectives, fileAt(8, { hasInputs: false }), 0, 4)
    expect([span?.hasInputs, span?.at(0).input]).toEqual([false, undefined])
  })

  it('are read without the others where they are few', async () => {
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
})

it('numbers of two bytes are read from an odd address as well', () => {
  const bytes = new Uint8Array([9, 1, 0, 2, 1]).subarray(1)
  expect([...halfPatterns(bytes)]).toEqual([1, 258])
})
