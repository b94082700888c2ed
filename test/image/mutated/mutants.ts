import { readdirSync, readFileSync } from 'node:fs'
import { SampleError } from '../../../src/base/errors.ts'
import { decodeImage } from '../../../src/image/codec.ts'
import type { ImageFormat } from '../../../src/image/container.ts'
import { mutate } from './mutate.ts'

const suffixes: Readonly<Record<ImageFormat, string>> = {
  jpeg: '.jpg',
  png: '.png',
  webp: '.webp',
  gif: '.gif',
  tiff: '.tif',
  avif: '.avif',
}
export const formats = Object.keys(suffixes) as ImageFormat[]

export interface Mutant {
  /** For people: the file that it was made of, and which of them it is. */
  readonly name: string
  readonly bytes: Buffer
}

/** Mutants of a format: every whole file in turn, each time with something else done to it. */
export function* mutantsOf(format: ImageFormat, count: number, seed = 0): Generator<Mutant> {
  const wholes = ['whole', '../pillow'].flatMap((folder) => {
    const url = new URL(`${folder}/`, import.meta.url)
    const names = readdirSync(url).filter((name) => name.endsWith(suffixes[format]))
    return names.toSorted().map((name) => ({ name, bytes: readFileSync(new URL(name, url)) }))
  })
  const all = wholes.map(({ bytes }) => bytes)
  for (let index = 0; index < count; index++) {
    const whole = wholes[index % wholes.length]
    if (whole === undefined) throw new Error(`there is no whole ${format} file`)
    yield { name: `${whole.name} #${index}`, bytes: mutate(whole.bytes, seed + 7919 * index + format.length, all) }
  }
}

/** What headlight makes of it: `reads`, or the code of its refusal. Anything but a SampleError is raised. */
export async function verdictOf({ bytes }: Mutant): Promise<string> {
  try {
    // A limit, so that no mutant of a header asks for gigabytes.
    await decodeImage(bytes, { maxPixels: 2_000_000, applyExifOrientation: false })
    return 'reads'
  } catch (error) {
    if (!(error instanceof SampleError)) throw error
    return error.code
  }
}
