import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../../src/image/codec.ts'
import { Random } from '../../kill/random.ts'
import { formats, mutantsOf, verdictOf } from './mutants.ts'
import { digestOf, frozenDigest, frozenVerdicts } from './verdicts.ts'

/** Of each format. `npm run test:mutated` tries all of them. */
const sampled = 200

/** How many of a hundred may be refused here that Pillow reads. Of a damaged AVIF its decoder shows a part. */
const refusedAlone = { jpeg: 2, png: 4, webp: 1, gif: 4, tiff: 12, avif: 60 }

describe.each(formats)('mutated %s files', (format) => {
  it('are the ones that Pillow was asked about', () => {
    expect(digestOf(format), 'freeze the verdicts anew: see main.ts').toBe(frozenDigest(format))
  })

  it('are never read where Pillow refuses them', async () => {
    const pillowReads = frozenVerdicts(format)
    const alone: string[] = []
    const wrong: string[] = []
    let index = 0
    for (const mutant of mutantsOf(format, sampled)) {
      const verdict = await verdictOf(mutant)
      const pillow = pillowReads[index++]
      if (verdict === 'reads' && !pillow) wrong.push(mutant.name)
      if (verdict !== 'reads' && pillow) alone.push(`${mutant.name}: ${verdict}`)
    }
    expect(wrong).toEqual([])
    expect(alone.length).toBeLessThanOrEqual((refusedAlone[format] * sampled) / 100)
  })
})

it('a JPEG with a block of random bytes in its pixels is damaged, though libvips shows the rows before it', async () => {
  const whole = readFileSync(new URL('whole/baseline.jpg', import.meta.url))
  const random = new Random(1)
  const block = Uint8Array.from({ length: 3000 }, () => random.integer(0, 255))
  const mixed = Buffer.concat([whole.subarray(0, 2000), block, whole.subarray(5000)])
  await expect(decodeImage(mixed, { maxPixels: 1e6, applyExifOrientation: false })).rejects.toMatchObject({
    code: 'corrupt-image',
    message: 'the JPEG image is damaged; replace it',
  })
})
