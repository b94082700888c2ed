import { mapPixels, type CellMaps, type PoseMaps } from '../../src/output/poseMaps.ts'

/** The sums of `n` equal maps, one per channel. `map` gives what one of them sums to, in the file's whole numbers. */
export function cellOf(n: number, ...maps: readonly ((pixel: number) => number)[]): CellMaps {
  const sums = new Float64Array(maps.length * mapPixels)
  for (const [channel, map] of maps.entries()) {
    for (let pixel = 0; pixel < mapPixels; pixel++) sums[channel * mapPixels + pixel] = n * map(pixel)
  }
  return { n, sums }
}

export function poseMaps(channels: readonly string[], cells: readonly (readonly [number, CellMaps])[]): PoseMaps {
  return { channels, cells: new Map(cells), pairs: new Map() }
}

/** A map of unit sum in steps of 2⁻²⁴ that lies about a place, both from 0 to 28. */
export function spotAt(x: number, y: number): (pixel: number) => number {
  const weight = (pixel: number) => Math.exp(-(Math.hypot((pixel % 28) - x, Math.floor(pixel / 28) - y) ** 2) / 30)
  let total = 0
  for (let pixel = 0; pixel < mapPixels; pixel++) total += weight(pixel)
  return (pixel) => Math.round((weight(pixel) / total) * 2 ** 24)
}

/** Adds to what is there of a cell. */
export function addCell(cells: Map<number, CellMaps>, cell: number, { n, sums }: CellMaps): void {
  const held = cells.get(cell)
  const total = held === undefined ? sums : sums.map((sum, at) => sum + (held.sums[at] ?? 0))
  cells.set(cell, { n: n + (held?.n ?? 0), sums: total })
}
