import { beforeEach, describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import type { ShardMaps } from '../../src/output/mapPlaces.ts'
import { mapPixels } from '../../src/output/poseMaps.ts'
import { halfPatterns, readSmallMaps } from '../../src/output/smallMaps.ts'
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

describe('small maps', () => {
  it('are read from the files of their shard', async () => {
    const file = fileAt(8, { samples: 'abc' })
    await put(file)
    const maps = await readSmallMaps(output, set, objectives, file)
    expect(maps?.at(3).magnitudes).toEqual(new Uint16Array(objectives * mapPixels).fill(803))
    expect(maps?.at(2).input).toEqual(new Uint8Array(mapPixels).fill(2))
  })

  it('are none where their file is gone or not of its size, and without inputs in one of an earlier version', async () => {
    expect(await readSmallMaps(output, set, objectives, fileAt(0))).toBeUndefined()
    await put(fileAt(8))
    expect(await readSmallMaps(output, set, objectives, fileAt(8, { count: 3 }))).toBeUndefined()
    const maps = await readSmallMaps(output, set, objectives, fileAt(8, { hasInputs: false }))
    expect([maps?.hasInputs, maps?.at(0).input]).toEqual([false, undefined])
  })
})

it('numbers of two bytes are read from an odd address as well', () => {
  const bytes = new Uint8Array([9, 1, 0, 2, 1]).subarray(1)
  expect([...halfPatterns(bytes)]).toEqual([1, 258])
})
