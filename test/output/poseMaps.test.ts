import { describe, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import {
  encodePoseMaps,
  mapPixels,
  readAtlas,
  readInputAtlas,
  unplaced,
  type PoseMaps,
} from '../../src/output/poseMaps.ts'
import { poseCell } from '../../src/pose/poseCell.ts'
import { memoryOutput } from '../support/memoryOutput.ts'

/** Numbers that float64 holds and float32 does not. */
const sumsOf = (start: number) => Float64Array.from({ length: 2 * mapPixels }, (_, i) => start + i + 2 ** 40)
const frontal = poseCell(3, -4)
const turned = poseCell(-50, 100)

const atlas: PoseMaps = {
  channels: ['yaw', 'yaw:bin:3'],
  cells: new Map([
    [turned, { n: 3, sums: sumsOf(5) }],
    [unplaced, { n: 1, sums: sumsOf(7) }],
    [frontal, { n: 2, sums: sumsOf(0) }],
  ]),
  pairs: new Map([['yaw~yaw:bin:3', { n: 6, steps: -123 }]]),
}

async function read(bytes: Uint8Array): Promise<PoseMaps | undefined> {
  const output = memoryOutput()
  await output.put(layout.atlas('set', 'run'), bytes)
  return readAtlas(output, 'set', 'run')
}

it('an atlas is read as it was written', async () => {
  const found = await read(encodePoseMaps(atlas))
  expect(found?.channels).toEqual(atlas.channels)
  expect(found?.pairs).toEqual(atlas.pairs)
  expect([...(found?.cells.keys() ?? [])]).toEqual([unplaced, frontal, turned].toSorted((a, b) => a - b))
  for (const [cell, { n, sums }] of atlas.cells) {
    expect(found?.cells.get(cell)?.n).toBe(n)
    expect([...(found?.cells.get(cell)?.sums ?? [])]).toEqual([...sums])
  }
})

it('equal sums give equal bytes, whatever the order, and a cell without rows none', () => {
  const other: PoseMaps = {
    ...atlas,
    cells: new Map([...[...atlas.cells].reverse(), [4, { n: 0, sums: sumsOf(9) }]]),
  }
  expect(Buffer.from(encodePoseMaps(other)).equals(encodePoseMaps(atlas))).toBe(true)
})

it('an atlas of nothing is one, and no atlas is none', async () => {
  const empty = { channels: ['input'], cells: new Map(), pairs: new Map() }
  expect(await read(encodePoseMaps(empty))).toEqual(empty)
  expect(await readInputAtlas(memoryOutput(), 'set', 'run')).toBeUndefined()
})

it('the file is safetensors, its numbers where its header says', () => {
  const bytes = encodePoseMaps(atlas)
  const view = new DataView(bytes.buffer)
  const length = Number(view.getBigUint64(0, true))
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString('utf8')) as Record<string, unknown>
  expect(Object.keys(header)).toEqual(['__metadata__', 'n', 'pose', 'sum'])
  expect(header).toMatchObject({
    n: { dtype: 'F64', shape: [3], data_offsets: [0, 24] },
    pose: { dtype: 'F64', shape: [3, 2], data_offsets: [24, 72] },
    sum: { dtype: 'F64', shape: [2, 3, 28, 28], data_offsets: [72, bytes.byteLength - 8 - length] },
  })
  expect((8 + length) % 8).toBe(0)
  const number = (i: number) => view.getFloat64(8 + length + 8 * i, true)
  // n, then the corner of each cell: rows without a pose first.
  expect([0, 1, 2].map(number)).toEqual([1, 2, 3])
  expect([3, 4, 5, 6, 7, 8].map(number)).toEqual([NaN, NaN, 0, -15, -60, 90])
  // The second channel's map of the second cell.
  expect(number(9 + (1 * 3 + 1) * mapPixels)).toBe(2 ** 40 + mapPixels)
})

describe('a file that is another’s', () => {
  const bytes = encodePoseMaps(atlas)
  const changed = (from: string, to: string) => {
    expect(Buffer.from(bytes).includes(from)).toBe(true)
    return Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1')
  }
  it.each([
    ['nothing', new Uint8Array()],
    ['cut off', bytes.subarray(0, bytes.byteLength - 8)],
    ['longer', Buffer.concat([bytes, Buffer.alloc(8)])],
    ['cut off in its header', bytes.subarray(0, 40)],
    ['of an absurd length of its header', Buffer.concat([Buffer.alloc(8, 0xff), bytes.subarray(8)])],
    ['without metadata', changed('__metadata__', '__metabase__')],
    ['of other cells', changed(`${frontal},`, '-2,')],
    ['of no JSON', changed('{"__', '["__')],
  ])('is refused: %s', async (_, damaged) => {
    await expect(read(damaged)).rejects.toMatchObject({
      code: 'bad-layout',
      message: expect.stringContaining('atlas.bin'),
    })
  })
})
