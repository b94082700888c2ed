import { describe, expect, test } from 'vitest'
import { readWeights } from '../../../src/saliency/weights/read.ts'
import {
  Call,
  Global,
  legacyPreamble,
  PersistentId,
  pickle,
  Raw,
  safetensors,
  Storage,
  Tensor,
  tensor,
  torchLegacy,
  torchZip,
  Tuple,
  zip,
} from '../../support/writeCheckpoint.ts'

function values(bytes: Buffer, name = 'w.weight'): number[] {
  const found = readWeights(bytes, 'x.pkl').tensors.get(name)
  return [...(found?.data ?? [])]
}

const counted = new Storage(
  '0',
  'FloatStorage',
  Float32Array.from({ length: 24 }, (_, i) => i),
)

describe.each([
  ['zip', (value: unknown) => torchZip(value)],
  ['zip, deflated', (value: unknown) => torchZip(value, { deflate: true })],
  ['zip without a root folder', (value: unknown) => torchZip(value, { root: '' })],
  ['legacy', torchLegacy],
])('layouts of tensors (%s)', (_, file) => {
  test('a transposed tensor comes back row-major', () => {
    const transposed = new Tensor(counted, 0, [3, 2], [1, 3])
    expect(values(file({ 'w.weight': transposed }))).toEqual([0, 3, 1, 4, 2, 5])
  })

  test('channels-last strides of four axes', () => {
    // 1×2×2×3 stored as NHWC: element (c, y, x) lies at y·6 + x·2 + c.
    const channelsLast = new Tensor(counted, 0, [1, 2, 2, 3], [12, 1, 6, 2])
    expect(values(file({ 'w.weight': channelsLast }))).toEqual([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11])
  })

  test('an offset and a storage that two tensors share', () => {
    const bytes = file({
      'w.weight': new Tensor(counted, 5, [2, 2], [2, 1]),
      'v.weight': new Tensor(counted, 6, [3], [4]),
    })
    expect(values(bytes)).toEqual([5, 6, 7, 8])
    expect(values(bytes, 'v.weight')).toEqual([6, 10, 14])
  })

  test('an expanded tensor (stride 0)', () => {
    expect(values(file({ 'w.weight': new Tensor(counted, 7, [4], [0]) }))).toEqual([7, 7, 7, 7])
  })

  test('scalars and empty tensors', () => {
    const bytes = file({
      'w.weight': new Tensor(counted, 3, [], []),
      'v.weight': new Tensor(counted, 0, [0, 5], [5, 1]),
    })
    expect(values(bytes)).toEqual([3])
    expect(readWeights(bytes, 'x').tensors.get('v.weight')).toMatchObject({ shape: [0, 5], data: new Float32Array(0) })
  })

  test('strides of axes of length one mean nothing', () => {
    expect(values(file({ 'w.weight': new Tensor(counted, 0, [1, 2, 1], [99, 1, 77]) }))).toEqual([0, 1])
  })

  test('float16 is widened exactly', () => {
    // 1, −2, smallest subnormal, largest, smallest normal, −0, 1/3 rounded
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x0400, 0x8000, 0x3555)
    const half = new Tensor(new Storage('0', 'HalfStorage', halves), 0, [7], [1])
    expect(values(file({ 'w.weight': half }))).toEqual([1, -2, 2 ** -24, 65504, 2 ** -14, -0, 0.333251953125])
  })

  test('bfloat16 is widened exactly', () => {
    const halves = Uint16Array.of(0x3f80, 0xc000, 0x0001, 0x7f7f, 0x3eab, 0x8000)
    const half = new Tensor(new Storage('0', 'BFloat16Storage', halves), 1, [5], [1])
    expect(values(file({ 'w.weight': half }))).toEqual([-2, 2 ** -133, 255 * 2 ** 120, 0.333984375, -0])
  })

  test('float64 is rounded to float32', () => {
    const wide = new Tensor(new Storage('0', 'DoubleStorage', Float64Array.of(1 / 3, 2)), 0, [2], [1])
    expect(values(file({ 'w.weight': wide }))).toEqual([Math.fround(1 / 3), 2])
  })

  test('int64 step counters are left out, other int64 numbers are said to be there', () => {
    const steps = new Tensor(new Storage('1', 'LongStorage', BigInt64Array.of(7n)), 0, [], [])
    const bytes = file({ 'norm0.num_batches_tracked': steps, 'w.weight': tensor('2', [2]) })
    expect([...readWeights(bytes, 'x').tensors.keys()]).toEqual(['w.weight'])
    const { tensors, unreadable } = readWeights(file({ 'w.weight': steps, 'v.weight': tensor('2', [2]) }), 'x.pkl')
    expect([...tensors.keys()]).toEqual(['v.weight'])
    expect([...unreadable]).toEqual([['w.weight', 'int64 numbers']])
  })

  test('a window beyond its storage is refused', () => {
    for (const odd of [
      new Tensor(counted, 20, [5], [1]),
      new Tensor(counted, 0, [5, 5], [5, 1]),
      new Tensor(counted, 0, [2], [24]),
    ]) {
      expect(() => values(file({ 'w.weight': odd }))).toThrow(
        expect.objectContaining({ code: 'bad-checkpoint', message: expect.stringMatching(/w\.weight reaches beyond/) }),
      )
    }
  })

  test('tensors that together are far larger than the file are refused before they are made', () => {
    const huge = new Tensor(counted, 0, [2 ** 40], [0])
    const many = Object.fromEntries(
      Array.from({ length: 600 }, (_value, i) => [`w${i}.weight`, new Tensor(counted, 0, [1000], [0])]),
    )
    for (const bomb of [{ 'w.weight': huge }, many]) {
      expect(() => readWeights(file(bomb), 'x.pkl')).toThrow(
        expect.objectContaining({ code: 'bad-checkpoint', message: expect.stringMatching(/larger than itself/) }),
      )
    }
  })

  test('NaN and infinity are refused where a weight is used', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const bytes = file({ 'v.weight': tensor('1', [1], [5]), 'w.weight': tensor('0', [3], [0, value, 1]) })
      expect(values(bytes, 'v.weight')).toEqual([5])
      expect(() => values(bytes)).toThrow(
        expect.objectContaining({
          code: 'bad-checkpoint',
          message: expect.stringMatching(/NaN or infinity in w\.weight/),
        }),
      )
    }
  })
})

describe('other ways in which PyTorch has written tensors', () => {
  const storage = new Storage('0', 'FloatStorage', Float32Array.of(1, 2, 3, 4))
  const withStorage = (data: Buffer): Buffer =>
    zip([
      ['archive/data.pkl', data],
      ['archive/data/0', storage.bytes],
    ])

  test('Parameter around a tensor', () => {
    const parameter = new Call('torch._utils._rebuild_parameter', new Tensor(storage, 1, [2], [1]), true, null)
    expect(values(withStorage(pickle({ 'w.weight': parameter })))).toEqual([2, 3])
  })

  test('an OrderedDict with _metadata as its state', () => {
    const dict = new Raw(
      pickle(new Call('collections.OrderedDict')).subarray(2, -1),
      '(',
      pickle('w.weight').subarray(2, -1),
      pickle(new Tensor(storage, 0, [4], [1])).subarray(2, -1),
      'u',
      pickle({ _metadata: { '': { version: 1 } } }).subarray(2, -1),
      'b',
    )
    expect(values(withStorage(pickle(dict)))).toEqual([1, 2, 3, 4])
  })

  test('an OrderedDict from a list of pairs, as Python 2 wrote it', () => {
    const pairs = [['w.weight', new Tensor(storage, 0, [4], [1])]]
    expect(values(withStorage(pickle(new Call('collections.OrderedDict', pairs))))).toEqual([1, 2, 3, 4])
  })

  test('_rebuild_tensor without strict strides, old GPU storages, torch.Size', () => {
    const id = new PersistentId(new Tuple('storage', new Global('torch.cuda.FloatStorage'), '0', 'cuda:0', 4))
    const size = new Call('torch.Size', new Tuple(2, 2))
    const old = new Call('torch._utils._rebuild_tensor', id, 0, size, new Tuple(1, 2))
    expect(values(withStorage(pickle({ 'w.weight': old })))).toEqual([1, 3, 2, 4])
  })

  test('_rebuild_tensor_v3 over an untyped storage', () => {
    const id = new PersistentId(new Tuple('storage', new Global('torch.storage.UntypedStorage'), '0', 'cpu', 16))
    const args = [id, 1, new Tuple(2), new Tuple(1), false, new Call('collections.OrderedDict')]
    const typed = new Call('torch._utils._rebuild_tensor_v3', ...args, new Global('torch.float32'))
    expect(values(withStorage(pickle({ 'w.weight': typed })))).toEqual([2, 3])
  })

  test('a tensor that stands for the negative of its numbers is refused, never read with the wrong sign', () => {
    const id = new PersistentId(new Tuple('storage', new Global('torch.FloatStorage'), '0', 'cpu', 4))
    const args = [id, 0, new Tuple(4), new Tuple(1), false, new Call('collections.OrderedDict')]
    const untyped = new PersistentId(new Tuple('storage', new Global('torch.storage.UntypedStorage'), '0', 'cpu', 16))
    const bits = { neg: true }
    for (const negative of [
      new Call('torch._utils._rebuild_tensor_v2', ...args, bits),
      new Call('torch._utils._rebuild_tensor_v3', untyped, ...args.slice(1), new Global('torch.float32'), bits),
    ]) {
      expect(() => values(withStorage(pickle({ 'w.weight': negative })))).toThrow(
        expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(/resolve_neg/) }),
      )
    }
    const plain = new Call('torch._utils._rebuild_tensor_v2', ...args, {})
    expect(values(withStorage(pickle({ 'w.weight': plain })))).toEqual([1, 2, 3, 4])
  })

  test('a legacy storage that is a window on another', () => {
    const view = new Tuple('9', 1, 2)
    const id = new PersistentId(new Tuple('storage', new Global('torch.FloatStorage'), '0', 'cpu', 4, view))
    const windowed = new Call('torch._utils._rebuild_tensor', id, 0, new Tuple(2), new Tuple(1))
    const count = Buffer.from([4, 0, 0, 0, 0, 0, 0, 0])
    const file = [...legacyPreamble(), pickle({ 'w.weight': windowed }), pickle(['0']), count, storage.bytes]
    expect(values(Buffer.concat(file))).toEqual([2, 3])
  })

  test('a zip64 directory, as files over 4 GB have', () => {
    const plain = torchZip({ 'w.weight': tensor('0', [2], [1, 2]) })
    const end = Buffer.from(plain.subarray(-22))
    const directory = end.readUInt32LE(16)
    const record = Buffer.alloc(56)
    record.write('PK\x06\x06', 'latin1')
    record.writeBigUInt64LE(BigInt(end.readUInt16LE(10)), 32)
    record.writeBigUInt64LE(BigInt(directory), 48)
    const locator = Buffer.alloc(20)
    locator.write('PK\x06\x07', 'latin1')
    end.writeUInt16LE(0xffff, 10)
    end.writeUInt32LE(0xffffffff, 16)
    // The first entry's sizes and place stand in its extra field: 28 bytes more, behind its name.
    const listing = Buffer.from(plain.subarray(directory, -22))
    const nameEnd = 46 + listing.readUInt16LE(28)
    const extra = Buffer.alloc(28)
    extra.writeUInt16LE(1, 0)
    extra.writeUInt16LE(24, 2)
    extra.writeBigUInt64LE(BigInt(listing.readUInt32LE(24)), 4)
    extra.writeBigUInt64LE(BigInt(listing.readUInt32LE(20)), 12)
    extra.writeBigUInt64LE(BigInt(listing.readUInt32LE(42)), 20)
    listing.fill(0xff, 20, 28)
    listing.fill(0xff, 42, 46)
    listing.writeUInt16LE(28, 30)
    locator.writeBigUInt64LE(BigInt(plain.length - 22 + 28), 8)
    const parts = [plain.subarray(0, directory), listing.subarray(0, nameEnd), extra, listing.subarray(nameEnd)]
    expect(values(Buffer.concat([...parts, record, locator, end]))).toEqual([1, 2])
  })

  test('a big-endian file is refused with what to do', () => {
    const legacy = Buffer.concat([...legacyPreamble(false), pickle({})])
    const zipped = torchZip({ 'w.weight': tensor('0', [1]) }, { byteorder: 'big' })
    for (const bytes of [legacy, zipped]) {
      expect(() => readWeights(bytes, 'x')).toThrow(/^x was written on a big-endian machine/)
    }
  })
})

describe('safetensors', () => {
  const data = Buffer.from(Uint16Array.of(0x3f80, 0x4000, 0x3c00, 0x4000).buffer)

  test('bfloat16 and float16 beside each other, at odd places', () => {
    const header = {
      __metadata__: { format: 'pt' },
      'w.weight': { dtype: 'BF16', shape: [2], data_offsets: [0, 4] },
      'v.weight': { dtype: 'F16', shape: [1, 2], data_offsets: [4, 8] },
    }
    const bytes = safetensors(header, data)
    expect(values(bytes)).toEqual([1, 2])
    expect(values(bytes, 'v.weight')).toEqual([1, 2])
    expect(readWeights(bytes, 'x').storedTypes).toEqual(['bfloat16', 'float16'])
  })

  test.each([
    ['offsets beyond the file', { dtype: 'F32', shape: [3], data_offsets: [0, 12] }, /bytes 0 to 12 of its 8 bytes/],
    ['a shape that does not fit the bytes', { dtype: 'F16', shape: [3], data_offsets: [0, 8] }, /bytes 0 to 8/],
    ['offsets in reverse', { dtype: 'F16', shape: [0], data_offsets: [8, 0] }, /bytes 8 to 0/],
    ['a negative side', { dtype: 'F16', shape: [-1], data_offsets: [0, 8] }, /odd about "w\.weight"/],
  ])('%s', (_, entry, message) => {
    expect(() => readWeights(safetensors({ 'w.weight': entry }, data), 'x')).toThrow(
      expect.objectContaining({ code: 'bad-checkpoint', message: expect.stringMatching(message) }),
    )
  })

  test.each(['F8_E4M3', 'F4', 'constructor'])('%s numbers are refused by the name of the weight', (dtype) => {
    const entry = { dtype, shape: [8], data_offsets: [0, 8] }
    expect(() => readWeights(safetensors({ 'w.weight': entry }, data), 'x')).toThrow(
      expect.objectContaining({
        code: 'unsupported-network',
        message: expect.stringContaining(`x stores w.weight as "${dtype}" numbers`),
      }),
    )
  })

  test('a header that is cut off or no JSON', () => {
    const bytes = safetensors({ 'w.weight': { dtype: 'F16', shape: [4], data_offsets: [0, 8] } }, data)
    expect(() => readWeights(bytes.subarray(0, 40), 'x')).toThrow(/truncated/)
    bytes[9] = 0x7b
    expect(() => readWeights(bytes, 'x')).toThrow(/header is not JSON/)
  })
})
