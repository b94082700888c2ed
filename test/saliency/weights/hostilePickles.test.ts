import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { readWeights } from '../../../src/saliency/weights/read.ts'
import {
  Call,
  Global,
  legacyPreamble,
  PersistentId,
  pickle,
  Raw,
  tensor,
  torchLegacy,
  torchZip,
  Tuple,
  zip,
} from '../../support/writeCheckpoint.ts'

const trace = join(tmpdir(), `headlight-hostile-${process.pid}`)
const command = `touch ${trace}`

afterEach(() => rmSync(trace, { force: true }))

/** The same pickle where PyTorch would run it: in a zip file, in a legacy file, in place of one, and as a key. */
function carriers(hostile: unknown): readonly (readonly [string, Buffer])[] {
  const bare = pickle(hostile)
  return [
    ['zip', zip([['archive/data.pkl', bare]])],
    ['legacy', Buffer.concat([...legacyPreamble(), bare, pickle([])])],
    ['bare', bare],
    ['as a key', zip([['archive/data.pkl', pickle(new Raw('}', inner(hostile), inner(1), 's'))]])],
  ]
}

/** The same beside weights, in both containers and as a weight's own value. */
function besideWeights(hostile: unknown): readonly (readonly [string, Buffer])[] {
  const weights = { 'w.weight': tensor('0', [2]) }
  return [
    ['zip', torchZip({ ...weights, extra: hostile })],
    ['legacy', torchLegacy({ args: hostile, state_dict: weights })],
  ]
}

/** The opcodes of a value without PROTO and STOP. */
function inner(value: unknown): Buffer {
  return pickle(value).subarray(2, -1)
}

const short = (text: string): string => `U${String.fromCharCode(text.length)}${text}`

const hostile: readonly (readonly [string, unknown, string])[] = [
  ['os.system by REDUCE', new Call('os.system', command), 'os.system'],
  ['posix.system', new Call('posix.system', command), 'posix.system'],
  ['builtins.eval', new Call('builtins.eval', `__import__("os").system("${command}")`), 'builtins.eval'],
  ['builtins.exec', new Call('builtins.exec', '1'), 'builtins.exec'],
  ['Python 2’s __builtin__.eval', new Call('__builtin__.eval', '1'), '__builtin__.eval'],
  [
    'builtins.getattr',
    new Call('builtins.getattr', new Global('torch._utils._rebuild_tensor_v2'), 'x'),
    'builtins.getattr',
  ],
  ['subprocess.Popen', new Call('subprocess.Popen', [command]), 'subprocess.Popen'],
  ['a global that is only named', new Global('os.system'), 'os.system'],
  ['torch.load of bytes inside', new Call('torch.storage._load_from_bytes', 'x'), 'torch.storage._load_from_bytes'],
  ['torch.load itself', new Call('torch.load', '/etc/passwd'), 'torch.load'],
  ['torch.hub', new Call('torch.hub.load', 'x/y', 'z'), 'torch.hub.load'],
  [
    'torch.serialization.os.system',
    new Call('torch.serialization.os.system', command),
    'torch.serialization.os.system',
  ],
  [
    'a gadget of NumPy',
    new Call('numpy.testing._private.utils.runstring', '1'),
    'numpy.testing._private.utils.runstring',
  ],
  ['a class of nobody’s', new Call('__main__.Config', 1), '__main__.Config'],
  ['an extension code', new Raw('\x82\x01'), 'copyreg extension 1'],
  ['an extension code of 4 bytes', new Raw('\x84\x01\x00\x00\x00'), 'copyreg extension 1'],
  ['named arguments', new Raw('csubprocess\nPopen\n)', inner({ args: command }), '\x92'), 'subprocess.Popen'],
  ['what another call gave, called', new Raw('cos\nsystem\n', inner(new Tuple(command)), 'R)R'), 'os.system'],
  [
    'a state, items and pairs for it',
    new Raw('cos\nsystem\n)R}b', inner(1), 'a', inner(1), inner(2), 's'),
    'os.system',
  ],
  ['names of JavaScript objects', new Global('torch.constructor'), 'torch.constructor'],
  ['a nested REDUCE', new Call('torch.Size', new Tuple(new Call('os.system', command))), 'os.system'],
  ['INST', new Raw('(', inner(command), 'ios\nsystem\n'), 'os.system'],
  ['OBJ', new Raw('(cos\nsystem\n', inner(command), 'o'), 'os.system'],
  ['NEWOBJ', new Raw('csubprocess\nPopen\n', inner(new Tuple(command)), '\x81'), 'subprocess.Popen'],
  ['NEWOBJ_EX', new Raw('csubprocess\nPopen\n', inner(new Tuple(command)), '}\x92'), 'subprocess.Popen'],
  ['STACK_GLOBAL', new Raw(short('os'), short('system'), '\x93', inner(new Tuple(command)), 'R'), 'os.system'],
  [
    'a name with dots (protocol 4)',
    new Raw(short('torch'), short('_utils.os.system'), '\x93'),
    'torch._utils.os.system',
  ],
  [
    'a global named through the memo',
    new Raw(short('os'), 'q\x00', short('system'), 'q\x010', '0h\x00h\x01\x93'),
    'os.system',
  ],
  [
    'BUILD with __setstate__ of a class',
    new Raw('c__main__\nTrap\n)\x81', inner({ __setstate__: 1 }), 'b'),
    '__main__.Trap',
  ],
  [
    'a global inside a persistent id',
    new PersistentId(new Tuple('storage', new Global('os.system'), '0', 'cpu', 1)),
    'os.system',
  ],
]

describe.each(hostile)('%s', (_, value, name) => {
  test.each(carriers(value))('is refused by name (%s)', (_carrier, bytes) => {
    expect(() => readWeights(bytes, 'trap.pkl')).toThrow(
      expect.objectContaining({
        name: 'InputError',
        code: 'unsafe-checkpoint',
        message: expect.stringContaining(`trap.pkl asks for ${name}, which no tensor needs (nothing was run)`),
      }),
    )
    expect(existsSync(trace)).toBe(false)
  })

  test.each(besideWeights(value))('beside weights is named and left unread (%s)', (_carrier, bytes) => {
    const { tensors, notes } = readWeights(bytes, 'trap.pkl')
    expect([...tensors].map(([key, { data }]) => [key, [...data]])).toEqual([['w.weight', [0, 0.125]]])
    expect(notes).toEqual([expect.stringContaining(`Beside the weights the file asks for ${name}`)])
    expect(notes).toEqual([expect.stringMatching(/(?:was|were) left unread, and nothing was run\.$/)])
    expect(existsSync(trace)).toBe(false)
  })

  test('in the place of a weight is no weight', () => {
    const { tensors, unreadable } = readWeights(torchZip({ 'a.weight': value, 'w.weight': tensor('0', [2]) }), 'x.pkl')
    expect([...tensors.keys()]).toEqual(['w.weight'])
    const inside = name === 'os.system' && unreadable.size === 0
    expect([...unreadable]).toEqual(inside ? [] : [['a.weight', `an object of ${name}`]])
  })
})

describe('calls of allowed names with odd arguments', () => {
  test.each([
    ['a list as shape', new Call('torch._utils._rebuild_tensor_v2', 1, 0, [2], new Tuple(1))],
    [
      'a dictionary for a storage',
      new Call('torch._utils._rebuild_tensor_v2', { key: '0', count: 1 }, 0, new Tuple(1), new Tuple(1)),
    ],
    ['no arguments', new Call('torch._utils._rebuild_tensor_v2')],
    ['a parameter of text', new Call('torch._utils._rebuild_parameter', 'x', true)],
    ['a call of a storage type', new Call('torch.FloatStorage', 4)],
    ['a call of a number type', new Call('torch.float32')],
    ['an OrderedDict of text', new Call('collections.OrderedDict', 'abc')],
    ['an OrderedDict of odd pairs', new Call('collections.OrderedDict', [['a', 1, 2]])],
    ['a call of a number', new Raw('K\x01)R')],
    ['arguments that are no tuple', new Raw('ccollections\nOrderedDict\n]R')],
    ['named arguments of what takes none', new Raw('ccollections\nOrderedDict\n)', inner({ a: 1 }), '\x92')],
    ['a state for a tuple', new Raw(')}b')],
    [
      'a storage of negative size',
      new PersistentId(new Tuple('storage', new Global('torch.FloatStorage'), '0', 'cpu', -1)),
    ],
    [
      'a storage of fractional size',
      new PersistentId(new Tuple('storage', new Global('torch.FloatStorage'), '0', 'cpu', 0.5)),
    ],
    ['a storage under a number', new PersistentId(new Tuple('storage', new Global('torch.FloatStorage'), 0, 'cpu', 1))],
    ['an out-of-band buffer', new Raw('\x97')],
    ['an opcode that is none', new Raw('\xff')],
    ['an empty stack', new Raw('R')],
    ['a mark taken for a value', new Raw('(a')],
    ['an unknown memo', new Raw('h\x09')],
    ['an integer of a megabyte', new Raw('\x8b\x00\x00\x10\x00')],
    ['an integer of a thousand digits', new Raw(`I${'9'.repeat(1000)}\n`)],
    ['bytes beyond the file', new Raw('\x8e\xff\xff\xff\xff\xff\xff\x0f\x00')],
    ['a length of 2^64 − 1', new Raw(`\x8d${'\xff'.repeat(8)}`)],
    ['a protocol of the future', new Raw('\x80\x09')],
  ])('%s', (_, value) => {
    for (const [, bytes] of [...carriers(value), ...besideWeights(value)]) {
      expect(() => readWeights(bytes, 'odd.pkl')).toThrow(
        expect.objectContaining({
          name: 'InputError',
          code: 'bad-checkpoint',
          message: expect.stringContaining('odd.pkl'),
        }),
      )
    }
  })

  test.each([
    ['protocol 0', `cos\nsystem\n(S'${command}'\ntR.`],
    ['protocol 0 in a dictionary', `(dp0\nVx\np1\ncposix\nsystem\np2\n(V${command}\np3\ntp4\nRp5\ns.`],
    ['protocol 0 in a list', `(lp0\ncposix\nsystem\n(V${command}\ntRa.`],
    ['protocol 1 in a dictionary', `}q\x00(U\x01xcposix\nsystem\n(U\x01ytRu.`],
  ])('%s, which has no mark of its own, is recognised', (_, text) => {
    expect(() => readWeights(Buffer.from(text, 'latin1'), 'x.pkl')).toThrow(
      expect.objectContaining({
        code: 'unsafe-checkpoint',
        message: expect.stringMatching(/asks for (os|posix)\.system/),
      }),
    )
  })

  test('control characters of a name do not reach the terminal', () => {
    const name = new Raw(short('os'), short('\x1b[2Jsystem'), '\x93')
    expect(() => readWeights(pickle(name), 'x.pkl')).toThrow(/asks for os\.\\u001b\[2Jsystem,/)
  })

  test('a whole model says what to save instead', () => {
    const whole = new Raw('ctorchvision.models.densenet\nDenseNet\n)\x81', inner({ training: false }), 'b')
    const old = new PersistentId(new Tuple('module', 'DenseNet', '/x.py', 'source'))
    for (const value of [whole, old]) {
      for (const [, bytes] of carriers(value)) {
        expect(() => readWeights(bytes, 'whole.pkl')).toThrow(
          expect.objectContaining({
            code: 'bad-checkpoint',
            message: expect.stringMatching(/whole pickled model.*torch\.save\(model\.state_dict\(\), FILE\)/),
          }),
        )
      }
    }
  })
})

describe('bombs', () => {
  test('far too many operations', () => {
    const bytes = Buffer.alloc(2_100_000, '}')
    bytes.write('\x80\x02', 'latin1')
    expect(() => readWeights(bytes, 'x.pkl')).toThrow(/over 2000000 operations/)
  })

  test('one long list copied into dictionaries over and over', () => {
    const pairs = inner(Array.from({ length: 1000 }, () => ['a', 1]))
    const copies = 'h\x00\x85R0ccollections\nOrderedDict\n'.repeat(1000)
    const bomb = new Raw(pairs, 'q\x000ccollections\nOrderedDict\n', copies)
    expect(() => readWeights(pickle(bomb), 'x.pkl')).toThrow(/copied over and over/)
  })

  test('a list that contains itself, and deep nesting', () => {
    const self = new Raw(']q\x00h\x00a')
    const deep = new Raw(']'.repeat(100_000), 'a'.repeat(99_999))
    const wide = new Raw('}q\x00', `h\x00`, short('a'), 'h\x00su0'.slice(0, 3), '0')
    for (const value of [self, deep, wide]) {
      expect(() => readWeights(zip([['a/data.pkl', pickle(value)]]), 'x.pkl')).toThrow(
        expect.objectContaining({
          code: 'bad-checkpoint',
          message: expect.stringMatching(/holds no dictionary of weights/),
        }),
      )
    }
  })

  test('lists that double at every step', () => {
    let doubled = inner(tensor('0', [1]))
    for (let i = 0; i < 200; i++) doubled = Buffer.concat([doubled, Buffer.from('2\x86', 'latin1')])
    expect(() => readWeights(zip([['a/data.pkl', pickle(new Raw(doubled))]]), 'x.pkl')).toThrow(/no dictionary/)
  })

  test('a compressed entry that unpacks to far more than the file', () => {
    const bytes = zip([['a/data.pkl', Buffer.alloc(68_000_000, '}')]], true)
    expect(bytes.length).toBeLessThan(200_000)
    expect(() => readWeights(bytes, 'x.pkl')).toThrow(/unpacks to too many bytes/)
  })

  test('a compressed entry that lies about its length', () => {
    const bytes = zip([['a/data.pkl', Buffer.alloc(1_000_000, '}')]], true)
    const directory = bytes.indexOf('PK\x01\x02', 0, 'latin1')
    for (const length of [10, 2_000_000]) {
      bytes.writeUInt32LE(length, directory + 24)
      expect(() => readWeights(bytes, 'x.pkl')).toThrow(/unpacked|unpacks to another length/)
    }
  })
})
