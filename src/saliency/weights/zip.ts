import { crc32, inflateRawSync } from 'node:zlib'
import { InputError } from '../../base/errors.ts'
import { ByteCursor, truncated } from './byteCursor.ts'

const endSignature = 0x06054b50
const end64Signature = 0x06064b50
const end64LocatorSignature = 0x07064b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50
const stored = 0
const deflated = 8

interface Entry {
  readonly method: number
  readonly flags: number
  readonly crc: number
  readonly compressedBytes: number
  readonly bytes: number
  readonly localHeader: number
}

/** Read access to a zip file in memory. Stored entries are views of the file. All errors are `bad-checkpoint`. */
export class Zip {
  readonly #bytes: Uint8Array
  readonly #file: string
  readonly #entries: ReadonlyMap<string, Entry>
  /** How many bytes may still come out of compressed entries: a small file must not blow up to fill the memory. */
  #inflateBudget: number

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes
    this.#file = file
    this.#entries = readDirectory(bytes, file)
    this.#inflateBudget = Math.max(2 ** 26, 8 * bytes.byteLength)
  }

  get names(): Iterable<string> {
    return this.#entries.keys()
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  /** The entry's bytes, their checksum verified. */
  read(name: string): Uint8Array {
    const entry = this.#entries.get(name)
    if (!entry) throw truncated(this.#file, `its entry ${name} is missing`)
    if (entry.flags & 1) {
      throw new InputError('bad-checkpoint', `${this.#file} is an encrypted zip file: decrypt it first`)
    }
    const cursor = new ByteCursor(this.#bytes, this.#file, entry.localHeader)
    if (cursor.u32() !== localSignature) throw truncated(this.#file, `its entry ${name} does not start where it should`)
    cursor.bytes(22)
    const nameBytes = cursor.u16()
    cursor.bytes(cursor.u16() + nameBytes)
    const packed = cursor.bytes(entry.compressedBytes)
    const bytes = this.#unpack(packed, entry, name)
    if (crc32(bytes) !== entry.crc) throw truncated(this.#file, `the checksum of its entry ${name} is wrong`)
    return bytes
  }

  #unpack(packed: Uint8Array, entry: Entry, name: string): Uint8Array {
    if (entry.method === stored) {
      if (packed.byteLength !== entry.bytes) throw truncated(this.#file, `its entry ${name} has two lengths`)
      return packed
    }
    if (entry.method !== deflated) {
      throw new InputError(
        'bad-checkpoint',
        `${this.#file} packs ${name} by zip method ${entry.method}: write it again uncompressed, as torch.save does`,
      )
    }
    if (entry.bytes > this.#inflateBudget) throw truncated(this.#file, `its entry ${name} unpacks to too many bytes`)
    this.#inflateBudget -= entry.bytes
    let bytes: Uint8Array
    try {
      bytes = inflateRawSync(packed, { maxOutputLength: Math.max(entry.bytes, 1) })
    } catch {
      throw truncated(this.#file, `its entry ${name} cannot be unpacked`)
    }
    if (bytes.byteLength !== entry.bytes) throw truncated(this.#file, `its entry ${name} unpacks to another length`)
    return bytes
  }
}

function readDirectory(bytes: Uint8Array, file: string): ReadonlyMap<string, Entry> {
  const directory = findDirectory(bytes, file)
  const cursor = new ByteCursor(bytes, file, directory.start)
  const entries = new Map<string, Entry>()
  for (let i = 0; i < directory.count; i++) {
    if (cursor.u32() !== entrySignature) throw truncated(file, `entry ${i} of its zip directory is unreadable`)
    cursor.bytes(4)
    const flags = cursor.u16()
    const method = cursor.u16()
    cursor.bytes(4)
    const crc = cursor.u32()
    let compressedBytes = cursor.u32()
    let size = cursor.u32()
    const nameBytes = cursor.u16()
    const extraBytes = cursor.u16()
    const commentBytes = cursor.u16()
    cursor.bytes(8)
    let localHeader = cursor.u32()
    const name = cursor.text(nameBytes, 'utf8')
    const extraEnd = cursor.position + extraBytes
    while (cursor.position + 4 <= extraEnd) {
      const kind = cursor.u16()
      const fieldEnd = cursor.u16() + cursor.position
      // Zip64: the 8-byte values of exactly those fields that overflowed, in this order.
      if (kind === 1) {
        if (size === 0xffffffff) size = cursor.u64()
        if (compressedBytes === 0xffffffff) compressedBytes = cursor.u64()
        if (localHeader === 0xffffffff) localHeader = cursor.u64()
      }
      cursor.position = fieldEnd
    }
    cursor.position = extraEnd
    cursor.bytes(commentBytes)
    if (entries.has(name)) throw truncated(file, `its zip directory names ${name} twice`)
    entries.set(name, { method, flags, crc, compressedBytes, bytes: size, localHeader })
  }
  return entries
}

/** The directory stands at the end, before a comment of at most 65,535 bytes. */
function findDirectory(bytes: Uint8Array, file: string): { start: number; count: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const earliest = Math.max(0, view.length - 22 - 65_535)
  for (let at = view.length - 22; at >= earliest; at--) {
    if (view.readUInt32LE(at) !== endSignature) continue
    let count = view.readUInt16LE(at + 10)
    let start = view.readUInt32LE(at + 16)
    if ((count === 0xffff || start === 0xffffffff) && at >= 20) {
      const locator = new ByteCursor(bytes, file, at - 20)
      if (locator.u32() === end64LocatorSignature) {
        locator.bytes(4)
        const record = new ByteCursor(bytes, file, locator.u64())
        if (record.u32() !== end64Signature) throw truncated(file, 'its zip directory is unreadable')
        record.bytes(28)
        count = record.u64()
        record.bytes(8)
        start = record.u64()
      }
    }
    return { start, count }
  }
  throw truncated(file, 'it begins as a zip file but has no directory at its end')
}
