import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { readWeights } from '../../../src/saliency/weights/read.ts'
import type { Tensors } from '../../../src/saliency/weights/tensors.ts'
import { Call, Global, PersistentId, tensor, torchZip, Tuple } from '../../support/writeCheckpoint.ts'

/** All written by PyTorch: see `training/make.py`. */
const folder = new URL('training/', import.meta.url)
const bytesOf = (file: string): Buffer => readFileSync(new URL(file, folder))

function numbers(tensors: Tensors): Record<string, readonly number[]> {
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name.replace(/^model\./, ''), [...data]]))
}

const { buffers, ...plain } = { buffers: ['wild'], ...numbers(readWeights(bytesOf('plain.pth'), 'plain.pth').tensors) }

describe('what training leaves beside weights is left unread', () => {
  test.each([
    ['namespace.ckpt', /asks for collections\.Counter and 3 others; they were left unread, and nothing was run\.$/],
    ['lightning.ckpt', /asks for torch\.nn\.modules\.loss\.MSELoss and 10 others/],
    ['everything.pt', /asks for project\.config\.Stage and 18 others/],
    ['everything_legacy.pt', /asks for project\.config\.Stage and 18 others/],
    ['everything_protocol5.pt', /asks for project\.config\.Stage and 14 others/],
    ['subclasses.pth', /asks for project\.config\.Marked; it was left unread, and nothing was run\.$/],
    ['defaultdict.pth', /asks for __builtin__\.dict; it was left unread, and nothing was run\.$/],
    ['averaged.pth', /^The file holds several sets of weights; "network" was taken, not "ema\.state_dict"\.$/],
  ])('%s', (file, note) => {
    const { tensors, notes } = readWeights(bytesOf(file), file)
    expect(numbers(tensors)).toEqual(plain)
    expect(notes).toEqual([expect.stringMatching(note)])
    expect(loadNetwork(bytesOf(file), file).recognised.outputs).toEqual([
      { output: 'linear_reg', outputs: 6, bias: true },
    ])
  })

  test('buffers that no layer needs: integers, flags, and NaN', () => {
    const { tensors, unreadable } = readWeights(bytesOf('buffers.pth'), 'buffers.pth')
    expect([...tensors.keys()].filter((name) => !(name in plain))).toEqual(buffers)
    expect([...unreadable]).toEqual([
      ['index', 'int64 numbers'],
      ['mask', 'bool numbers'],
    ])
    expect(loadNetwork(bytesOf('buffers.pth'), 'buffers.pth').recognised.architecture.family).toBe('ResNet')
  })
})

describe('what the weights themselves need is refused by name', () => {
  test.each([
    ['float8.pth', 'conv1.weight as float8_e4m3fn numbers'],
    ['quantised.pth', 'conv1.weight as a quantised tensor'],
    ['per_channel.pth', 'conv1.weight as a quantised tensor'],
    ['dynamic.pth', 'linear_reg._packed_params._packed_params as a quantised tensor'],
    ['sparse.pth', 'linear_reg.weight as a sparse tensor'],
    ['sparse_rows.pth', 'linear_reg.weight as a sparse tensor'],
    ['nested.pth', 'linear_reg.weight as a nested tensor'],
    ['meta.pth', 'conv1.weight as a meta tensor, which has no numbers'],
    ['complex.pth', 'conv1.weight as complex64 numbers'],
    ['int8.pth', 'conv1.weight as int8 numbers'],
    // Built without it, every angle would be off by the bias.
    ['int8_bias.pth', 'linear_reg.bias as int8 numbers'],
  ])('%s', (file, what) => {
    expect(() => loadNetwork(bytesOf(file), file)).toThrow(
      expect.objectContaining({
        name: 'InputError',
        code: 'unsupported-network',
        message: expect.stringContaining(`${file} stores ${what}: headlight needs `),
      }),
    )
  })

  test('a bias that may be there or not, of an output whose name tells nothing', () => {
    const renamed = [...readWeights(bytesOf('plain.pth'), 'x.pth').tensors].map(
      ([name, value]) => [name.replace('linear_reg', 'fc'), value] as const,
    )
    const tensors = new Map(renamed.filter(([name]) => name !== 'fc.bias'))
    expect(recogniseNetwork(tensors, 'x.pth').outputs).toEqual([{ output: 'fc', outputs: 6, bias: false }])
    expect(() => recogniseNetwork(tensors, 'x.pth', {}, new Map([['fc.bias', 'int8 numbers']]))).toThrow(
      'x.pth stores fc.bias as int8 numbers',
    )
  })

  test('an object in the place of a weight', () => {
    const value = { 'layer1.0.conv1.weight': tensor('0', [2, 2, 3, 3]), 'conv1.weight': new Call('torchao.Packed', 1) }
    expect(() => loadNetwork(torchZip(value), 'x.pth')).toThrow(
      expect.objectContaining({
        code: 'unsupported-network',
        message: expect.stringContaining('x.pth stores conv1.weight as an object of torchao.Packed'),
      }),
    )
  })

  test('weights inside an object', () => {
    const inside = new Call('easydict.EasyDict', { 'conv1.weight': tensor('0', [2]) })
    expect(() => readWeights(torchZip({ epoch: 3, model: inside }), 'x.pth')).toThrow(
      expect.objectContaining({
        code: 'unsafe-checkpoint',
        message: expect.stringContaining('x.pth asks for easydict.EasyDict'),
      }),
    )
  })

  test.each(['whole_model.pt', 'whole_model_in_dict.pt'])('%s says what to save instead', (file) => {
    expect(() => readWeights(bytesOf(file), file)).toThrow(
      expect.objectContaining({
        code: 'bad-checkpoint',
        message: expect.stringMatching(
          /is a whole pickled model .*torch\.save\(model\.state_dict\(\), FILE\), or export the model with torch\.onnx\.export$/,
        ),
      }),
    )
  })
})

describe('data alone are no weights, and not unsafe', () => {
  test.each([
    ['a NumPy scalar', new Call('numpy._core.multiarray.scalar', 1)],
    ['a Namespace', new Call('argparse.Namespace')],
    ['a set of Python 2', new Call('__builtin__.set', [1, 2])],
    ['a persistent id of a number', new PersistentId(7)],
    ['a persistent id of an odd kind', new PersistentId(new Tuple('dataset', 'x'))],
  ])('%s', (_, value) => {
    expect(() => readWeights(torchZip([1, value]), 'x.pth')).toThrow(
      expect.objectContaining({ code: 'bad-checkpoint', message: expect.stringContaining('no dictionary of weights') }),
    )
    const beside = readWeights(torchZip({ state_dict: { 'w.weight': tensor('0', [1], [5]) }, value }), 'x.pth')
    expect(numbers(beside.tensors)).toEqual({ 'w.weight': [5] })
  })
})

describe('odd tensors beside weights do not matter, among them they are refused', () => {
  const storage = new PersistentId(new Tuple('storage', new Global('torch.FloatStorage'), '0', 'cpu', 1))
  const ones = new Tuple(1, 1, 1, 1, 1, 1, 1, 1, 1)
  test.each([
    ['a tensor of another device', new Call('torch._utils._rebuild_device_tensor_from_numpy', 1)],
    ['a tensor of more than 8 axes', new Call('torch._utils._rebuild_tensor_v2', storage, 0, ones, ones)],
  ])('%s', (what, value) => {
    const weights = { 'w.weight': tensor('0', [1], [5]) }
    expect(numbers(readWeights(torchZip({ state_dict: weights, value }), 'x.pth').tensors)).toEqual({ 'w.weight': [5] })
    expect(() => readWeights(torchZip({ ...weights, value }), 'x.pth')).toThrow(
      expect.objectContaining({
        code: 'unsupported-network',
        message: expect.stringContaining(`x.pth stores value as ${what}`),
      }),
    )
  })
})

describe('which of several sets of weights is taken', () => {
  const network = { 'conv1.weight': tensor('0', [2, 3, 1, 1]), 'fc.weight': tensor('1', [1, 2]) }
  const other = { 'conv1.weight': tensor('2', [3, 3, 1, 1]), 'fc.weight': tensor('3', [1, 3]), x: tensor('4', [1]) }
  test.each([
    ['moments of an optimiser, named like the weights', { optimizer: { exp_avg: other }, anything: network }],
    ['a larger set without convolutions', { head: { 'a.weight': tensor('5', [9]), ...dense() }, anything: network }],
    ['an average, whatever it is called', { model_ema: { module: other }, generator: network }],
    ['an average before the network', { ema: other, pose: network }],
    ['the usual name before a larger set', { detector: other, model: network }],
    ['the larger set where no name is usual', { bias: { 'conv1.weight': tensor('6', [1, 1, 1, 1]) }, pose: network }],
  ])('%s', (_, value) => {
    expect(readWeights(torchZip(value), 'x.pth').tensors.get('conv1.weight')?.shape).toEqual([2, 3, 1, 1])
  })

  function dense(): Record<string, ReturnType<typeof tensor>> {
    return Object.fromEntries(Array.from({ length: 9 }, (__, i) => [`layer${i}.weight`, tensor(`d${i}`, [2, 2])]))
  }
})
