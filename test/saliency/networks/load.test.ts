import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../src/base/errors.ts'
import { descriptionSchema } from '../../../src/saliency/networks/description.ts'
import { inspectNetwork, renderInspection } from '../../../src/saliency/networks/inspect.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { patchedCheckpoint } from '../../support/patchedCheckpoint.ts'
import { tinyBytes } from '../../support/tinyNetwork.ts'
import { tinyOnnx } from '../../support/tinyOnnx.ts'
import { tensor, torchZip } from '../../support/writeCheckpoint.ts'

describe('loadNetwork', () => {
  test('puts file, digest, format, shape and description together', () => {
    const network = loadNetwork(tinyBytes, 'tiny_hp.pkl')
    expect(network).toMatchObject({
      file: 'tiny_hp.pkl',
      digest: createHash('sha256').update(tinyBytes).digest('hex'),
      format: 'PyTorch zip',
      storedTypes: ['float32'],
      notes: [],
    })
    expect(network.weights.size).toBe(110)
    expect(descriptionSchema.parse(network.description)).toEqual(network.description)
  })

  test('all formats of one network have one shape and one description', () => {
    const { recognised, description } = loadNetwork(tinyBytes, 'tiny_hp.pkl')
    for (const name of ['tiny_hp.safetensors', 'tiny_hp_fp16.pkl', 'tiny_hp_oldnames_wrapped_legacy.pkl']) {
      const network = loadNetwork(readFileSync(new URL(`../../checkpoints/${name}`, import.meta.url)), name)
      const byName = (a: { output: string }, b: { output: string }): number => (a.output < b.output ? -1 : 1)
      expect(network.recognised.outputs.toSorted(byName)).toEqual(recognised.outputs.toSorted(byName))
      expect(network.recognised.architecture).toEqual(recognised.architecture)
      expect(network.description).toEqual(description)
    }
  })

  test('what lies in another part of the file is told where the network is refused without it', () => {
    const backbone = { 'layer1.0.conv1.weight': tensor('0', [1, 1, 1, 1]) }
    const file = torchZip({ backbone, head: { 'fc_yaw.weight': tensor('1', [66, 8]) } })
    expect(() => loadNetwork(file, 'x.pth')).toThrow(
      expect.objectContaining({
        code: 'unsupported-network',
        message: expect.stringMatching(
          /^x\.pth lacks conv1\.weight: .*; the file holds other layers under "head", which were left out: save the whole network as one state_dict$/,
        ),
      }),
    )
  })

  test('a bad override is refused before the weights are read', () => {
    expect(() => loadNetwork(Buffer.alloc(0), 'x.pkl', { heds: [] })).toThrow(
      /unknown key "heds"; did you mean "heads"\?/,
    )
  })

  test('a description given as options is used', () => {
    const { description, provenance } = loadNetwork(tinyBytes, 'x.pkl', { input: { resize: 'stretch' } })
    expect(description.input.resize).toBe('stretch')
    expect(provenance['input.resize']).toBe('given')
  })
})

describe('a variance that cannot be', () => {
  const tensor = 'features.denseblock2.denselayer1.norm2.running_var'

  test.each(['tiny_hp.pkl', 'tiny_hp_dataparallel.pkl', 'tiny_hp_legacy.pkl', 'tiny_hp.safetensors'])(
    'is named as the fault of %s',
    (file) => {
      const bytes = patchedCheckpoint(file, { [tensor]: () => -0.5 })
      expect(() => loadNetwork(bytes, file)).toThrow(
        `${file} holds a variance of -0.5 in ${tensor}, and none can be below zero: take an earlier checkpoint`,
      )
    },
  )

  test.each([
    ['less below zero than is added to it', -1e-8, false],
    ['more', -2e-5, true],
    ['zero', 0, false],
  ])('%s', (_, variance, isWrong) => {
    const load = () =>
      loadNetwork(patchedCheckpoint('tiny_hp.safetensors', { [tensor]: () => variance }), 'x.safetensors')
    if (isWrong) expect(load).toThrow(InputError)
    else expect(load).not.toThrow()
  })
})

describe('inspection', () => {
  const network = loadNetwork(tinyBytes, 'tiny_hp.pkl', { input: { range: 255 } })
  const inspection = inspectNetwork(network)

  test('is plain data with the architecture and its counts', () => {
    expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection)
    expect(inspection.architecture).toMatchObject({
      family: 'DenseNet',
      name: 'DenseNet of growth 8 with blocks 2-2-2-2',
      blocks: [2, 2, 2, 2],
      // stem 1, dense layers 8 × 2, transitions 3, the last one 1
      relus: 21,
    })
    // Convolutions 2,352 + 8 × 2,304 + blocks' 1×1 (4 × 32 × (16 + 24)) + transitions 3 × 512; norms; heads 3 × 61 × 33.
    const convolutions = 2352 + 8 * 2304 + 4 * 32 * 40 + 3 * 512
    const norms = 2 * (16 + 4 * (16 + 32 + 24 + 32) + 3 * 32 + 32)
    expect(inspection.parameters).toBe(convolutions + norms + 3 * 61 * 33)
  })

  test('as text marks defaults and what was given, and says where to change them', () => {
    const text = renderInspection(network)
    expect(text).toMatch(/^tiny_hp\.pkl\n {2}format +PyTorch zip, float32\n/)
    expect(text).toMatch(/activations +21 ReLUs guided\n/)
    expect(text).toMatch(/width +224 {2}\(default\)\n/)
    expect(text).toMatch(/range +0 to 255 {2}\(from tiny_hp\.pkl\.yaml or options\)\n/)
    expect(text).toMatch(/bins +61, from −90° to 90°/)
    expect(text).toMatch(/step +3° per bin {2}\(default\)\n/)
    expect(text).toMatch(/output +classifier_yaw gives yaw\n/)
    expect(text).toMatch(/Defaults are assumptions.* tiny_hp\.pkl\.yaml\.\n$/)
  })
})

test('an inspection tells every rule of the input that was given', () => {
  const rules = {
    height: 192,
    resizeTo: 256,
    filter: 'opencv',
    channels: 'bgr',
    normalise: 'min-max',
    scale: 2,
    offset: -1,
  }
  const rowsOf = (input: object): string => {
    const [, text = ''] = renderInspection(loadNetwork(tinyBytes, 'x.pkl', { input })).split('\ninput\n')
    return (
      text
        .split('\n\n')[0]
        ?.replace(/ {2}\(.*\)$/gm, '')
        .replace(/^ {2}(\w+) +/gm, '$1: ') ?? ''
    )
  }
  expect(rowsOf(rules)).toBe(
    `width: 224
height: 192
resize: shorter side to 256, then the centre is cut out
filter: OpenCV's bilinear
channels: BGR
normalise: the darkest number of each picture to 0, the brightest to the end of the range
range: 0 to 255
mean: 0.5, 0.5, 0.5
std: 0.5, 0.5, 0.5`,
  )
  expect(rowsOf({ resize: 'letterbox' })).toMatch(
    /resize: the whole of it, as large as fits, on black\nchannels: RGB\n/,
  )
  expect(rowsOf({ resize: 'stretch' })).toMatch('resize: stretched to 224 × 224\n')
  expect(rowsOf({ resize: 'stretch', resizeTo: 256 })).toMatch(
    'resize: stretched to 256 × 256, then the centre is cut out\n',
  )
})

test('an inspection tells which numbers of an output a head reads, where these are not all', () => {
  const outputsOf = (outputs: Readonly<Record<string, number>>, heads: readonly object[]): string[] => {
    const network = loadNetwork(tinyOnnx({ outputs }).bytes, 'x.onnx', { heads })
    return renderInspection(network).match(/(?<=^ {2}output +)[^ ].*? gives [a-z, ]*[a-z]/gm) ?? []
  }
  const value = { kind: 'value', output: 'output', unit: 'degrees', sign: 1 }
  const three = ['yaw', 'pitch', 'roll'].map((angle, index) => ({ ...value, angle, index }))
  expect(outputsOf({ output: 3 }, three)).toEqual([
    'output[0] gives yaw',
    'output[1] gives pitch',
    'output[2] gives roll',
  ])
  expect(outputsOf({ output: 1 }, [{ ...value, angle: 'yaw' }])).toEqual(['output gives yaw'])
  const six = { kind: 'rotation6d', output: 'output', euler: 'zyx' }
  expect(outputsOf({ output: 6 }, [six])).toEqual(['output gives yaw, pitch, roll'])
  expect(outputsOf({ output: 9 }, [{ ...six, start: 3 }])).toEqual(['output[3…8] gives yaw, pitch, roll'])
  // Reads the first ones without saying so.
  const pose = { kind: 'pose3dmm', output: 'output', mean: Array(12).fill(0), std: Array(12).fill(1) }
  expect(outputsOf({ output: 62 }, [pose])).toEqual(['output[0…11] gives yaw, pitch, roll'])
})

const densenet121 = new URL('../../../../shared/checkpoints/densenet121_hp.pkl', import.meta.url)

// 29 MB are too many for the repository: runs where the folder of reference data lies beside the clone.
test.skipIf(!existsSync(densenet121))('DenseNet-121 is recognised', () => {
  const inspection = inspectNetwork(loadNetwork(readFileSync(densenet121), 'densenet121_hp.pkl'))
  expect(inspection.architecture).toMatchObject({
    name: 'DenseNet-121',
    initFeatures: 64,
    growth: 32,
    bottleneck: 128,
    blocks: [6, 12, 24, 16],
    transitions: [128, 256, 512],
    finalFeatures: 1024,
    relus: 121,
  })
  // torchvision's trunk has 6,953,856 parameters; each head adds 61 × 1,025.
  expect(inspection.parameters).toBe(6_953_856 + 3 * 61 * 1025)
})
