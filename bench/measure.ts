import { availableParallelism, cpus } from 'node:os'

/** Middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle - 0.5)] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

/** What is compared: each call measures once and gives the figure, lower is better unless the table says otherwise. */
export interface Contender {
  readonly name: string
  readonly measure: () => Promise<number>
  readonly close?: () => Promise<void>
}

/**
 * Measures all contenders in turn, round after round, so that a machine that slows down slows all of them. The first
 * round warms up and does not count.
 */
export async function alternate(contenders: readonly Contender[], rounds: number): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const { name, measure } of contenders) {
      const figure = await measure()
      if (round > 0) figures.get(name)?.push(figure)
    }
  }
  for (const { close } of contenders) await close?.()
  return figures
}

export function machine(): string {
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`
}

/** A table for people: first column left, the others right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join('  '),
    )
    .join('\n')
}
