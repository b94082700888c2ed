import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { objectiveColumns, readTable, tableColumns, tableRow, type TableRow } from '../../src/output/table.ts'
import { tableProvenance, TableWriter } from '../../src/output/tableWriter.ts'
import { collected, keptObject, recordOf } from '../support/producerWorld.ts'
import { resultSet } from '../support/shard.ts'

const options = { objectives: ['yaw', '-yaw', 'yaw:bin:3'], logits: true }

async function written(rows: readonly TableRow[]): Promise<Uint8Array> {
  const object = keptObject()
  const writer = new TableWriter(tableColumns(options), [object])
  for (const row of rows) await writer.add(row)
  await writer.finish()
  return Uint8Array.from(object.bytes())
}

function rowOf(key: string): TableRow {
  const entry = { key, etag: 'e', sizeBytes: 1, fingerprint: 'abcdef0123456789', companions: [] }
  const record = recordOf(entry, options.objectives)
  return tableRow(record.status === 'ok' ? { ...record, logits: { yaw: [1.5, -2e-9], pitch: [] } } : record)
}

/** As the file holds a row: with derived columns, and those that a failed row leaves out. */
function complete(row: TableRow): TableRow {
  const all = tableColumns(options).map(({ name, derive }) => [name, derive?.(row) ?? row[name] ?? null])
  return { ...row, ...Object.fromEntries(all) }
}

describe('angles.parquet', () => {
  it('gives back what was written, failed rows, JSON and numbers included', async () => {
    const rows = ['a.jpg', 'broken.jpg', 'ｆ "quoted".jpg', '😀.jpg'].map(rowOf)
    expect(await collected(readTable(await written(rows)))).toEqual(rows.map(complete))
  })

  it('derives geodesic error and what is left out of errors, also for rows of a table that lacks them', async () => {
    const label = { labelPitch: 0, labelRoll: 0 }
    const estimate = { yaw: 30, pitch: 0, roll: 0 }
    const rows = [
      { ...rowOf('a'), ...estimate, ...label, labelYaw: 0 },
      { ...rowOf('b'), ...estimate, ...label, labelYaw: 99.5 },
      { ...rowOf('c'), ...estimate, ...label, labelYaw: null },
      { ...rowOf('d'), ...estimate, ...label, labelYaw: 0, roll: null },
      { ...rowOf('broken.jpg'), key: 'e' },
    ]
    const bytes = await written(rows)
    const read = await collected(readTable(bytes, ['errorGeodesic', 'leftOutOfErrors']))
    expect(read.map((row) => row['leftOutOfErrors'])).toEqual([false, true, null, false, null])
    expect(read.map((row) => row['errorGeodesic'])).toEqual([
      expect.closeTo(30, 9),
      expect.closeTo(69.5, 9),
      null,
      null,
      null,
    ])

    const older = keptObject()
    const writer = new TableWriter(
      tableColumns(options).filter(({ derive }) => derive === undefined),
      [older],
    )
    for (const row of rows) await writer.add(row)
    await writer.finish()
    const kept = await collected(readTable(Uint8Array.from(older.bytes())))
    expect(Buffer.from(await written(kept)).equals(bytes)).toBe(true)
  })

  const metadataOf = async (set: ResultSet) => {
    const object = keptObject()
    await new TableWriter(tableColumns(set.options), [object], tableProvenance(set)).finish()
    const { key_value_metadata: pairs } = parquetMetadata(Uint8Array.from(object.bytes()).buffer)
    return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value]))
  }

  it('says which network and options it is of', async () => {
    const set = resultSet('file:///d/')
    const metadata = await metadataOf(set)
    expect(metadata).toMatchObject({
      'headlight.resultSet': set.id,
      'headlight.network.sha256': set.network.digest,
    })
    expect(JSON.parse(metadata['headlight.options'] ?? '')).toEqual(set.options)
    expect(JSON.stringify(metadata)).not.toContain(set.headlightVersion)
  })

  it('names the second file of its network, where there is one', async () => {
    const set = resultSet('file:///d/')
    const externalData = { file: 'tiny.pkl.data', digest: '1'.repeat(64) }
    expect(await metadataOf({ ...set, network: { ...set.network, externalData } })).toMatchObject({
      'headlight.network.externalData.file': 'tiny.pkl.data',
      'headlight.network.externalData.sha256': externalData.digest,
    })
    expect(Object.keys(await metadataOf(set)).join()).not.toContain('externalData')
  })

  it('keeps every double', async () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true })
    const given = fc.sample(fc.array(number, { minLength: 50, maxLength: 50 }), { numRuns: 1, seed: 7 })
    const rows = (given[0] ?? []).map((yaw, i) => ({ ...rowOf(`k${String(i).padStart(3, '0')}`), yaw }))
    expect((await collected(readTable(await written(rows), ['yaw']))).map(({ yaw }) => yaw)).toEqual(
      rows.map(({ yaw }) => yaw),
    )
  })

  it('gives equal bytes for equal rows, also for rows that were read back', async () => {
    const bytes = await written(['a', 'b', 'broken'].map(rowOf))
    expect(Buffer.from(await written(await collected(readTable(bytes)))).equals(bytes)).toBe(true)
  })

  it('has row groups of 10,000 whose statistics hold whole keys', async () => {
    const long = 'images/train/of/a/long/common/prefix/'
    const row = rowOf('a')
    const rows = Array.from({ length: 10_001 }, (_, i) => ({ ...row, key: `${long}${String(i).padStart(6, '0')}` }))
    const bytes = await written(rows)
    const metadata = parquetMetadata(bytes)
    expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([10_000, 1])
    expect(metadata.row_groups[0]?.columns[0]?.meta_data?.statistics).toMatchObject({
      min_value: `${long}000000`,
      max_value: `${long}009999`,
    })
    expect((await collected(readTable(bytes, ['key']))).map(({ key }) => key)).toEqual(rows.map(({ key }) => key))
    // They would be most of the footer, which is held as a whole.
    expect(metadata.row_groups[0]?.columns.slice(1).every((column) => column.meta_data?.statistics === undefined)).toBe(
      true,
    )
  })

  it('is handed on to all its copies row group by row group, and only read in slices', async () => {
    const row = rowOf('a')
    const objects = [keptObject(), keptObject()]
    const writer = new TableWriter(tableColumns(options), objects)
    for (let i = 0; i < 20_001; i++) await writer.add({ ...row, key: `key/${String(i).padStart(6, '0')}` })
    expect(objects.map(({ pieces }) => pieces.length)).toEqual([2, 2])
    await writer.finish()
    const [bytes, copy] = objects.map((object) => object.bytes())
    expect(bytes?.equals(copy ?? Buffer.alloc(0))).toBe(true)

    const lengths: number[] = []
    const source = {
      byteLength: bytes?.length ?? 0,
      slice: async (start: number, end?: number) => {
        const slice = Uint8Array.from(bytes?.subarray(start, end) ?? []).buffer
        lengths.push(slice.byteLength)
        return slice
      },
    }
    expect((await collected(readTable(source, ['key', 'yaw']))).length).toBe(20_001)
    // The footer, then two columns of three row groups.
    expect(lengths.length).toBeLessThanOrEqual(1 + 3 * 2)
  })

  it('reads only the columns asked for; those that the file lacks are null', async () => {
    expect(await collected(readTable(await written([rowOf('a')]), ['key', 'yawTopBin', 'columnOfTomorrow']))).toEqual([
      { key: 'a', yawTopBin: 3, columnOfTomorrow: null },
    ])
  })

  it('holds no rows as well as many', async () => {
    expect(await collected(readTable(await written([])))).toEqual([])
  })

  it('names its columns so that SQL takes them without quotes', () => {
    expect(objectiveColumns('-yaw:top').gradientMaxAbs).toBe('gradientMaxAbsMinusYawTop')
    expect(objectiveColumns('output:5').map).toBe('mapOutput5')
    const outputs = [
      'output:fc:13',
      'output:fc1:3',
      'output:fc.1:3',
      '-output:fc_1:3',
      'output:fc_1:3',
      'output:fc-1:3',
    ]
    expect(outputs.map((name) => objectiveColumns(name).map)).toEqual([
      'mapOutput_fc_13',
      'mapOutput_fc1_3',
      'mapOutput_fc__1_3',
      'mapMinusOutput_fc_1_3',
      'mapOutput_fc_1_3',
      'mapOutput_fc___1_3',
    ])
    const names = tableColumns(options).map(({ name }) => name)
    expect(names.every((name) => /^[A-Za-z][A-Za-z0-9]*$/.test(name))).toBe(true)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('mapYawBin3')
  })
})
