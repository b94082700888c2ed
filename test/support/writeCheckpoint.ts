import { crc32, deflateRawSync } from 'node:zlib'

/** A tuple, which JavaScript has no literal for. */
export class Tuple {
  readonly items: readonly unknown[]

  constructor(...items: unknown[]) {
    this.items = items
  }
}

/** A call of a global, as `torch._utils._rebuild_tensor_v2(...)`. */
export class Call {
  readonly name: string
  readonly args: readonly unknown[]

  constructor(name: string, ...args: unknown[]) {
    this.name = name
    this.args = args
  }
}

export class Global {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

export class PersistentId {
  readonly id: unknown

  constructor(id: unknown) {
    this.id = id
  }
}

/** Opcodes as they are. */
export class Raw {
  readonly bytes: Buffer

  constructor(...parts: (string | Buffer)[]) {
    this.bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
  }
}

export class Storage {
  readonly key: string
  /** `FloatStorage` and so on. */
  readonly type: string
  readonly bytes: Buffer
  /** In elements. */
  readonly count: number

  constructor(key: string, type: string, data: Float32Array | Float64Array | Uint16Array | BigInt64Array | Uint8Array) {
    this.key = key
    this.type = type
    this.bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.count = data.length
  }

  id(legacy: boolean): PersistentId {
    const parts = ['storage', new Global(`torch.${this.type}`), this.key, 'cpu', this.count]
    return new PersistentId(new Tuple(...parts, ...(legacy ? [null] : [])))
  }
}

export class Tensor {
  readonly storage: Storage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }
}

/** A contiguous float32 tensor with a storage of its own. */
export function tensor(key: string, shape: readonly number[], values?: readonly number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1)
  const data = Float32Array.from(values ?? Array.from({ length: count }, (_, i) => i / 8))
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  return new Tensor(new Storage(key, 'FloatStorage', data), 0, shape, strides)
}

/** Protocol 2, as torch.save writes: objects become dicts, arrays lists. `found` collects the storages on the way. */
export function pickle(value: unknown, { legacy = false, found = new Map<string, Storage>() } = {}): Buffer {
  const parts: Buffer[] = [Buffer.from([0x80, 2])]
  const put = (text: string): void => void parts.push(Buffer.from(text, 'latin1'))
  const write = (item: unknown): void => {
    if (item === null) put('N')
    else if (item === true) put('\x88')
    else if (item === false) put('\x89')
    else if (typeof item === 'number') {
      const small = Buffer.alloc(Number.isInteger(item) ? 4 : 8)
      if (Number.isInteger(item) && Math.abs(item) < 2 ** 31) {
        small.writeInt32LE(item)
        put('J')
        parts.push(small)
      } else if (Number.isInteger(item)) put(`L${item}L\n`)
      else {
        small.writeDoubleBE(item)
        put('G')
        parts.push(small)
      }
    } else if (typeof item === 'string') {
      const text = Buffer.from(item)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(text.length)
      parts.push(Buffer.from('X'), length, text)
    } else if (item instanceof Raw) parts.push(item.bytes)
    else if (item instanceof Global) {
      const dot = item.name.lastIndexOf('.')
      put(`c${item.name.slice(0, dot)}\n${item.name.slice(dot + 1)}\n`)
    } else if (item instanceof Tuple) {
      put('(')
      item.items.forEach(write)
      put('t')
    } else if (item instanceof Call) {
      write(new Global(item.name))
      write(new Tuple(...item.args))
      put('R')
    } else if (item instanceof PersistentId) {
      write(item.id)
      put('Q')
    } else if (item instanceof Tensor) {
      found.set(item.storage.key, item.storage)
      const { storage, offset, shape, strides } = item
      const hooks = new Call('collections.OrderedDict')
      write(
        new Call(
          'torch._utils._rebuild_tensor_v2',
          storage.id(legacy),
          offset,
          new Tuple(...shape),
          new Tuple(...strides),
          false,
          hooks,
        ),
      )
    } else if (Array.isArray(item)) {
      put('](')
      item.forEach(write)
      put('e')
    } else {
      put('}(')
      for (const [key, member] of Object.entries(item as object)) {
        write(key)
        write(member)
      }
      put('u')
    }
  }
  write(value)
  put('.')
  return Buffer.concat(parts)
}

/** A file as torch.save writes it. */
export function torchZip(
  value: unknown,
  options: { deflate?: boolean; root?: string; byteorder?: string } = {},
): Buffer {
  const { root = 'archive/', byteorder = 'little' } = options
  const found = new Map<string, Storage>()
  const data = pickle(value, { found })
  const entries: ZipEntry[] = [
    [`${root}data.pkl`, data],
    [`${root}byteorder`, Buffer.from(byteorder)],
  ]
  for (const { key, bytes } of found.values()) entries.push([`${root}data/${key}`, bytes])
  return zip(entries, options.deflate ?? false)
}

/** A file as torch.save wrote it before PyTorch 1.6. */
export function torchLegacy(value: unknown): Buffer {
  const found = new Map<string, Storage>()
  const data = pickle(value, { legacy: true, found })
  const parts = [...legacyPreamble(), data, pickle([...found.keys()])]
  for (const { count, bytes } of found.values()) {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(count))
    parts.push(length, bytes)
  }
  return Buffer.concat(parts)
}

/** Magic number, protocol and machine facts of a legacy file. */
export function legacyPreamble(littleEndian = true): Buffer[] {
  return [
    Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'),
    pickle(1001),
    pickle({ protocol_version: 1001, little_endian: littleEndian, type_sizes: { short: 2, int: 4, long: 4 } }),
  ]
}

export type ZipEntry = readonly [name: string, bytes: Buffer]

export function zip(entries: readonly ZipEntry[], deflate = false): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, bytes] of entries) {
    const packed = deflate ? deflateRawSync(bytes) : bytes
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(deflate ? 8 : 0, 4)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, Buffer.from(name))
    bodies.push(local)
    offset += local.length
  }
  const listing = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(listing.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...bodies, listing, end])
}

export function safetensors(header: object, data: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, data])
}
