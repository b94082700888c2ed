import { InputError } from '../../base/errors.ts'

/** Reads little-endian numbers forward through a file and never past its end: that is an InputError `bad-checkpoint`. */
export class ByteCursor {
  readonly file: string
  position: number
  readonly #bytes: Buffer

  /** The bytes are viewed, not copied. */
  constructor(bytes: Uint8Array, file: string, position = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.file = file
    this.position = position
  }

  get remaining(): number {
    return this.#bytes.length - this.position
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1))
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#advance(2))
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4))
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#advance(4))
  }

  /** A count or offset: nothing in a file that fits into memory needs more than 53 bits. */
  u64(): number {
    const value = Number(this.#bytes.readBigUInt64LE(this.#advance(8)))
    if (!Number.isSafeInteger(value)) throw truncated(this.file, `a length of ${value} bytes is written in it`)
    return value
  }

  /** The one big-endian number of the formats here: pickle's binary float. */
  f64BigEndian(): number {
    return this.#bytes.readDoubleBE(this.#advance(8))
  }

  /** A view of the next `count` bytes. */
  bytes(count: number): Buffer {
    const start = this.#advance(count)
    return this.#bytes.subarray(start, start + count)
  }

  text(count: number, encoding: 'utf8' | 'latin1'): string {
    const start = this.#advance(count)
    return this.#bytes.toString(encoding, start, start + count)
  }

  /** Up to the next newline, which is consumed and left out. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position)
    if (end < 0) throw truncated(this.file, 'a line of text has no end')
    const text = this.#bytes.toString('utf8', this.position, end)
    this.position = end + 1
    return text
  }

  #advance(count: number): number {
    const start = this.position
    if (count > this.#bytes.length - start) {
      throw truncated(this.file, `${count} bytes are wanted at byte ${start}, ${this.#bytes.length - start} are left`)
    }
    this.position = start + count
    return start
  }
}

/** The error for a file that ends early or whose lengths cannot be true. */
export function truncated(file: string, how: string): InputError {
  return new InputError('bad-checkpoint', `${file} is truncated or damaged (${how}): copy or download it again`)
}
