import { crc32 } from 'node:zlib'
import { Random } from '../../kill/random.ts'

type Mutation = (bytes: Buffer, random: Random, all: readonly Buffer[]) => Buffer

/** A file with one thing done to it that happens to files; the same seed does the same. `all` are others of its format. */
export function mutate(whole: Buffer, seed: number, all: readonly Buffer[]): Buffer {
  const random = new Random(seed)
  return random.pick(mutations)(Buffer.from(whole), random, all)
}

const mutations: readonly [Mutation, ...Mutation[]] = [
  // An upload that broke off.
  (bytes, random) => bytes.subarray(0, random.integer(1, bytes.length - 1)),
  // A block that came from elsewhere, as a broken disk or a mixed-up transfer leaves it.
  (bytes, random) => fill(bytes, span(bytes, random, 0.5), () => random.integer(0, 255)),
  // A block that was never written.
  (bytes, random) => fill(bytes, span(bytes, random, 0.3), () => 0),
  (bytes, random) => fill(bytes, span(bytes, random, 0.1), () => 0xff),
  // Bits that fell over.
  (bytes, random) => {
    for (let left = random.integer(1, 6); left > 0; left--) {
      const at = random.integer(0, bytes.length - 1)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7))
    }
    return bytes
  },
  (bytes, random) => {
    const at = random.integer(0, bytes.length)
    const more = fill(Buffer.alloc(random.integer(1, 200)), undefined, () => random.integer(0, 255))
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
  },
  (bytes, random) => {
    const [from, to] = span(bytes, random, 0.2)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  // A transfer that repeated a piece.
  (bytes, random) => {
    const [from, to] = span(bytes, random, 0.2)
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
  },
  // Two files in one.
  (bytes, random, all) => {
    const other = all[random.integer(0, all.length - 1)] ?? bytes
    const at = random.integer(1, bytes.length - 1)
    return Buffer.concat([bytes.subarray(0, at), other.subarray(Math.min(at, other.length))])
  },
  // A field of the header that says something else.
  header,
  header,
  // The same where checksums agree again, as after a tool that wrote nonsense.
  (bytes, random) => withChecksums(header(bytes, random)),
  (bytes, random) => withChecksums(fill(bytes, span(bytes, random, 0.1), () => random.integer(0, 255))),
]

const telling: readonly [number, ...number[]] = [0, 1, 2, 3, 4, 7, 8, 9, 0x10, 0x20, 0x7f, 0x80, 0xc0, 0xd9, 0xda, 0xff]

function header(bytes: Buffer, random: Random): Buffer {
  // Directories of a TIFF lie at its end.
  const at =
    random.unit() < 0.7
      ? random.integer(2, Math.min(200, bytes.length - 1))
      : bytes.length - random.integer(1, Math.min(200, bytes.length - 3))
  for (let index = 0; index < random.integer(1, 2); index++) {
    if (at + index < bytes.length)
      bytes[at + index] = random.unit() < 0.5 ? random.pick(telling) : random.integer(0, 255)
  }
  return bytes
}

function span(bytes: Buffer, random: Random, largestShare: number): [from: number, to: number] {
  const length = random.integer(1, Math.max(1, Math.floor(bytes.length * largestShare)))
  const from = random.integer(0, bytes.length - length)
  return [from, from + length]
}

function fill(bytes: Buffer, [from, to]: [number, number] = [0, bytes.length], value: () => number): Buffer {
  for (let at = from; at < to; at++) bytes[at] = value()
  return bytes
}

/** A PNG with its chunks' checksums made right; any other file as it is. */
function withChecksums(bytes: Buffer): Buffer {
  if (!bytes.subarray(1, 4).equals(Buffer.from('PNG'))) return bytes
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at)
    if (end + 4 > bytes.length) break
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end)
    at = end + 4
  }
  return bytes
}
