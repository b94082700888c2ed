import { readdirSync, readFileSync } from 'node:fs'
import { HeadlightError } from '../../../../src/base/errors.ts'
import { loadNetwork } from '../../../../src/saliency/networks/load.ts'
import type { Network } from '../../../../src/saliency/networks/network.ts'
import { buildProgram } from '../../../../src/saliency/program.ts'
import { Zip } from '../../../../src/saliency/weights/zip.ts'
import { mutate } from '../../../image/mutated/mutate.ts'
import { Random } from '../../../kill/random.ts'
import { safetensors, zip, type ZipEntry } from '../../../support/writeCheckpoint.ts'
import { mutatePickle } from './mutatePickle.ts'
import { pickleSpans } from './pickleSpans.ts'

export interface Mutant {
  /** For people: the file that it was made of, and which of them it is. */
  readonly name: string
  readonly bytes: Buffer
}

interface Whole {
  readonly name: string
  readonly bytes: Buffer
}

/** Small networks of every family and format, and what training leaves beside weights. */
export function wholeFiles(): readonly Whole[] {
  return ['../training', '../../../checkpoints', '../../../golden/networks'].flatMap((folder) => {
    const url = new URL(`${folder}/`, import.meta.url)
    const names = readdirSync(url).filter((name) => /\.(?:pth?|pkl|ckpt|safetensors)$/.test(name))
    return names.toSorted().map((name) => ({ name, bytes: readFileSync(new URL(name, url)) }))
  })
}

/** The `index`th mutant of a seed; the same numbers give the same bytes. */
export function mutantOf(wholes: readonly Whole[], index: number, seed: number): Mutant {
  const random = new Random(seed * 1_000_003 + index)
  const whole = wholes[random.integer(0, wholes.length - 1)]
  if (whole === undefined) throw new Error('there is no whole checkpoint')
  const all = wholes.map(({ bytes }) => bytes)
  const bytes =
    random.unit() < 0.25 ? mutate(whole.bytes, seed + 7919 * index, all) : structured(Buffer.from(whole.bytes), random)
  return { name: `${whole.name} #${index}`, bytes }
}

/** What is done to the structure, where lengths and checksums agree again afterwards. */
function structured(bytes: Buffer, random: Random): Buffer {
  const times = random.pick([1, 1, 1, 2, 3])
  if (bytes.subarray(0, 2).equals(Buffer.from('PK'))) return mutateZip(bytes, times, random)
  if (bytes[8] === 0x7b) return mutateSafetensors(bytes, times, random)
  return mutateLegacy(bytes, times, random)
}

function mutateZip(bytes: Buffer, times: number, random: Random): Buffer {
  const archive = new Zip(bytes, 'whole')
  const entries = [...archive.names].map((name): ZipEntry => {
    const entry = Buffer.from(archive.read(name))
    return [name, name.endsWith('/data.pkl') ? mutatedPickle(entry, times, random) : entry]
  })
  // Now and then an entry is missing, there twice, or a storage is another's.
  const chance = random.unit()
  const at = random.integer(0, entries.length - 1)
  if (chance < 0.05) entries.splice(at, 1)
  else if (chance < 0.1) entries.push(entries[at] ?? ['x', Buffer.alloc(0)])
  else if (chance < 0.2) entries[at] = [entries[at]?.[0] ?? 'x', Buffer.from(entries.at(-1)?.[1] ?? '')]
  return zip(entries, random.unit() < 0.1)
}

function mutatedPickle(bytes: Buffer, times: number, random: Random): Buffer {
  let mutated = mutatePickle(bytes, random)
  for (let left = times - 1; left > 0; left--) {
    try {
      mutated = mutatePickle(mutated, random)
    } catch {
      // No longer one whose operations can be told apart.
      break
    }
  }
  return mutated
}

/** Five pickles, then the storages. The fourth holds the value, the fifth the list of storages. */
function mutateLegacy(bytes: Buffer, times: number, random: Random): Buffer {
  const ends = [0]
  for (let count = 0; count < 5; count++) ends.push(pickleSpans(bytes, ends.at(-1)).at(-1)?.end ?? 0)
  const which = random.unit() < 0.8 ? 3 : random.integer(0, 4)
  const [from, to] = [ends[which] ?? 0, ends[which + 1] ?? 0]
  const pickle = mutatedPickle(Buffer.from(bytes.subarray(from, to)), times, random)
  return Buffer.concat([bytes.subarray(0, from), pickle, bytes.subarray(to)])
}

const words: readonly [string, ...string[]] = [
  'F8_E4M3',
  'I8',
  'F64',
  'BF16',
  '',
  'weight',
  '__metadata__',
  '__proto__',
]

function mutateSafetensors(bytes: Buffer, times: number, random: Random): Buffer {
  const length = Number(bytes.readBigUInt64LE())
  let text = bytes.toString('utf8', 8, 8 + length)
  for (let left = times; left > 0; left--) {
    const tokens = [...text.matchAll(random.unit() < 0.6 ? /\d+/g : /"[^"]*"|[[\]{},:]/g)]
    const token = tokens[random.integer(0, tokens.length - 1)]
    if (!token) continue
    const isNumber = /^\d/.test(token[0])
    const numbers = ['0', '1', '2', '7', '255', '65536', '4294967296', '9007199254740993', '-1', '1e300', '[]', 'null']
    const by = isNumber ? random.integer(0, numbers.length - 1) : -1
    const put = isNumber ? (numbers[by] ?? '') : token[0].startsWith('"') ? `"${random.pick(words)}"` : ''
    text = text.slice(0, token.index) + put + text.slice(token.index + token[0].length)
  }
  const [header, data] = [Buffer.from(text), bytes.subarray(8 + length)]
  if (random.unit() < 0.1) return Buffer.concat([bytes.subarray(0, 8), header, data])
  try {
    return safetensors(JSON.parse(text) as object, data)
  } catch {
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(BigInt(header.length))
    return Buffer.concat([size, header, data])
  }
}

/** What headlight makes of it: `loads`, its graph built, or the code of its refusal. Any other error is raised. */
export function verdictOf({ bytes }: Mutant): string {
  try {
    const network = loadNetwork(bytes, 'mutant.pth')
    buildProgram(network, {
      objectives: objectivesOf(network),
      scope: 'none',
      style: 'origin',
      gradients: false,
      batch: 1,
    })
    return 'loads'
  } catch (error) {
    if (error instanceof HeadlightError && error.message.includes('mutant.pth')) return error.code
    throw error
  }
}

function objectivesOf({ description }: Network): string[] {
  const [head] = description.heads
  return head !== undefined && 'angle' in head ? [head.angle] : []
}
