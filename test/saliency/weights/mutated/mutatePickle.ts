import type { Random } from '../../../kill/random.ts'
import { pickleSpans, type Span } from './pickleSpans.ts'

type Mutation = (bytes: Buffer, spans: readonly Span[], random: Random) => Buffer

/** A pickle with one thing done to its operations. */
export function mutatePickle(bytes: Buffer, random: Random): Buffer {
  const spans = pickleSpans(bytes)
  return random.pick(mutations)(bytes, spans, random)
}

/** Inserted between two operations. */
const pieces: readonly [string, ...string[]] = [
  'cos\nsystem\n(X\x04\x00\x00\x00truetR',
  'cargparse\nNamespace\n)\x81}X\x01\x00\x00\x00aK\x01sb',
  'ctorch._utils\n_rebuild_qtensor\n)R',
  'ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_parameter\nN)}tR',
  'ccollections\nOrderedDict\n)R',
  '(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ\xff\xff\xff\x7ftQ',
  'X\x06\x00\x00\x00weightNs',
  '\x82\x01',
  'Pos.system\n',
  '\x8a\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f',
  'G\x7f\xf8\x00\x00\x00\x00\x00\x00',
  '}',
  ']',
  ')',
  'N',
  '0',
  '(',
  't',
  'R',
  'b',
  'a',
  's',
  'Q',
  '2',
]

/** The same, many times: nesting, doubling, copies, things thrown away. */
const repeated: readonly [string, ...string[]] = [
  ']',
  '}',
  '(',
  '2\x86',
  '2\x85',
  ')',
  'h\x000',
  '\x94',
  'Na',
  ']0',
  'ca\nb\n0',
]

const telling: readonly [number, ...number[]] = [
  0,
  1,
  2,
  3,
  7,
  16,
  255,
  256,
  65_535,
  65_536,
  2 ** 24,
  2 ** 30,
  -1,
  -(2 ** 31),
]

const mutations: readonly [Mutation, ...Mutation[]] = [
  (bytes, spans, random) => replaced(bytes, one(spans, random), Buffer.alloc(0)),
  (bytes, spans, random) => {
    const { start, end } = one(spans, random)
    return inserted(bytes, end, bytes.subarray(start, end))
  },
  // Two neighbours, or any two, the other way round.
  (bytes, spans, random) => {
    const at = random.integer(0, spans.length - 2)
    const other = random.unit() < 0.5 ? at + 1 : random.integer(at + 1, spans.length - 1)
    const [a, b] = [spans[at] ?? end0, spans[other] ?? end0]
    return Buffer.concat([
      bytes.subarray(0, a.start),
      bytes.subarray(b.start, b.end),
      bytes.subarray(a.end, b.start),
      bytes.subarray(a.start, a.end),
      bytes.subarray(b.end),
    ])
  },
  // A run of operations once more, or many times more.
  (bytes, spans, random) => {
    const from = random.integer(0, spans.length - 1)
    const to = Math.min(spans.length - 1, from + random.integer(0, 40))
    const run = bytes.subarray(spans[from]?.start, spans[to]?.start)
    const times = random.unit() < 0.7 ? 1 : Math.floor(2_000_000 / Math.max(run.length, 200))
    return inserted(bytes, spans[to]?.start ?? 0, Buffer.alloc(run.length * times, run))
  },
  (bytes, spans, random) => inserted(bytes, one(spans, random).start, Buffer.from(random.pick(pieces), 'latin1')),
  (bytes, spans, random) => {
    const piece = Buffer.from(random.pick(repeated), 'latin1')
    const times = random.pick([10, 300, 20_000, 1_000_000])
    return inserted(bytes, one(spans, random).start, Buffer.alloc(piece.length * times, piece))
  },
  // A number: of a shape, an offset, a count, a place in the memo.
  number,
  number,
  number,
  number,
  number,
  // A length that is not true.
  (bytes, spans, random) => {
    const { start } = one(spans, random, 'XTBUC\x8c\x8d\x8e')
    const wide = 'XTB'.includes(String.fromCharCode(bytes[start] ?? 0))
    if (wide) bytes.writeInt32LE(random.pick(telling), start + 1)
    else bytes[start + 1] = random.integer(0, 255)
    return bytes
  },
  letter,
  letter,
  letter,
  // Another name of the same pickle in its place.
  (bytes, spans, random) => {
    const { start, end } = one(spans, random, 'c')
    return replaced(bytes, one(spans, random, 'c'), bytes.subarray(start, end))
  },
  (bytes, spans, random) => {
    const { start, end } = one(spans, random, 'X')
    return replaced(bytes, one(spans, random, 'X'), bytes.subarray(start, end))
  },
  (bytes, _, random) => bytes.subarray(0, random.integer(1, bytes.length - 1)),
]

const end0: Span = { code: '.', start: 0, end: 0 }

function number(bytes: Buffer, spans: readonly Span[], random: Random): Buffer {
  const span = one(spans, random, 'KMJqrhj')
  const number = Buffer.alloc(5, 'J')
  number.writeInt32LE(random.unit() < 0.5 ? random.pick(telling) : random.integer(0, 300), 1)
  if ('KMJ'.includes(span.code)) return replaced(bytes, span, number)
  bytes[span.start + 1] = random.integer(0, 255)
  return bytes
}

/** Any operation, or one with a code of these. */
function one(spans: readonly Span[], random: Random, codes?: string): Span {
  const among = codes === undefined ? spans : spans.filter(({ code }) => codes.includes(code))
  return among[random.integer(0, among.length - 1)] ?? end0
}

function replaced(bytes: Buffer, { start, end }: Span, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)])
}

function inserted(bytes: Buffer, at: number, what: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)])
}

/** A letter of a name. */
function letter(bytes: Buffer, spans: readonly Span[], random: Random): Buffer {
  const { start, end } = one(spans, random, 'XUc\x8c')
  const at = random.integer(start + 1, end - 1)
  bytes[at] = random.unit() < 0.5 ? random.integer(0, 255) : (bytes[at] ?? 0) ^ 1
  return bytes
}
