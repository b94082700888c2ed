import { crc32 } from 'node:zlib'
import type { ShardMaps } from './mapPlaces.ts'
import type { SmallMaps } from './smallMaps.ts'

/**
 * CRC-32 of the two files of a shard. Against accidents alone: SHA-256 would take two to ten times as long. Of a million rows
 * and three objectives it takes a second.
 *
 * @param small all of the files' samples
 * @param count how many these are
 */
export function checksumsOf(small: SmallMaps, count: number): NonNullable<ShardMaps['checksums']> {
  let mag = 0
  let input = 0
  for (let slot = 0; slot < count; slot++) {
    const maps = small.at(slot)
    const { buffer, byteOffset, byteLength } = maps.magnitudes
    mag = crc32(new Uint8Array(buffer, byteOffset, byteLength), mag)
    if (maps.input !== undefined) input = crc32(maps.input, input)
  }
  return small.hasInputs ? { mag, input } : { mag }
}

/** Whether files are still those that were merged. Those without checksums, as they were before there were any, count as such. */
export function areAsMerged(merged: ShardMaps, now: ShardMaps): boolean {
  if (merged.hasInputs !== now.hasInputs) return false
  const { checksums } = merged
  return checksums === undefined || (checksums.mag === now.checksums?.mag && checksums.input === now.checksums.input)
}
