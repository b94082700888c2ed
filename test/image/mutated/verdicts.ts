import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { ImageFormat } from '../../../src/image/container.ts'
import { formats, mutantsOf } from './mutants.ts'
import { Pillow } from './pillow.ts'

/** How many mutants of each format Pillow was asked about, once and for all. */
export const frozenCount = 1200

const path = new URL('verdicts.json', import.meta.url)
const schema = z.object({
  pillow: z.string(),
  /** A bit per mutant, the first one the highest of its digit: 1 when Pillow reads it. */
  reads: z.partialRecord(z.enum(formats), z.string()),
  /** SHA-256 of the mutants: told apart, verdicts that are wrong from ones about other files. */
  mutants: z.partialRecord(z.enum(formats), z.string()),
})

/** What Pillow said of the first `frozenCount` mutants of a format. */
export function frozenVerdicts(format: ImageFormat): boolean[] {
  const hex = schema.parse(JSON.parse(readFileSync(path, 'utf8'))).reads[format] ?? ''
  return Array.from(hex).flatMap((digit) => [8, 4, 2, 1].map((bit) => (Number.parseInt(digit, 16) & bit) !== 0))
}

export function frozenDigest(format: ImageFormat): string | undefined {
  return schema.parse(JSON.parse(readFileSync(path, 'utf8'))).mutants[format]
}

export function digestOf(format: ImageFormat): string {
  const hash = createHash('sha256')
  for (const { bytes } of mutantsOf(format, frozenCount)) hash.update(bytes)
  return hash.digest('hex')
}

export async function freeze(python: string): Promise<void> {
  const pillow = new Pillow(python)
  const frozen: z.infer<typeof schema> = { pillow: await pillow.version(), reads: {}, mutants: {} }
  for (const format of formats) {
    const bits: boolean[] = []
    for (const { bytes } of mutantsOf(format, frozenCount)) bits.push(await pillow.reads(bytes))
    const digits = Array.from({ length: bits.length / 4 }, (_, at) =>
      bits
        .slice(4 * at, 4 * at + 4)
        .reduce((digit, bit) => 2 * digit + Number(bit), 0)
        .toString(16),
    )
    frozen.reads[format] = digits.join('')
    frozen.mutants[format] = digestOf(format)
  }
  pillow.close()
  writeFileSync(path, `${JSON.stringify(frozen, null, 2)}\n`)
}
