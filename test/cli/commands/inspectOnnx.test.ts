import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { headlight } from '../../support/headlight.ts'
import { weights } from '../../support/onnxCase.ts'
import { onnxModel } from '../../support/onnxModel.ts'

let folder: string
let file: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-'))
  file = join(folder, 'two.onnx')
  const bytes = onnxModel({
    inputs: [{ name: 'image', shape: ['n', 3, 16, 16] }],
    outputs: ['scores', 'boxes'],
    steps: [
      ['Conv', ['image', weights(4, 3, 3, 3)], 'conv'],
      ['Relu', ['conv'], 'relu'],
      ['GlobalAveragePool', ['relu'], 'mean'],
      ['Flatten', ['mean'], 'features'],
      ['Gemm', ['features', weights(4, 3)], 'scores'],
      ['Gemm', ['features', weights(4, 5)], 'boxes'],
    ],
  })
  await writeFile(file, bytes)
})

afterAll(() => rm(folder, { recursive: true }))

it('network inspect shows what an ONNX file holds although no head can be made of it, and then says why', async () => {
  const { code, stdout, stderr } = await headlight(['network', 'inspect', file])
  expect(code).toBe(2)
  expect(stdout).toBe(
    [
      'two.onnx',
      '  architecture  ONNX graph of 6 operators',
      '  written by    tests 1, operator set 17',
      '  inputs        image float n×3×16×16',
      '  outputs       scores',
      '                boxes',
      '  tensors       mean 1×4×1×1 (GlobalAveragePool)',
      '                features 1×4 (Flatten)',
      '                scores 1×3 (Gemm)',
      '                boxes 1×5 (Gemm)',
      '',
    ].join('\n'),
  )
  expect(stderr).toMatch(/two\.onnx: the names of the outputs scores, boxes do not say which angles they give/)
})

it('and as JSON', async () => {
  const { code, stdout } = await headlight(['network', 'inspect', file, '--json'])
  expect(code).toBe(2)
  expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({
    file: 'two.onnx',
    architecture: { family: 'ONNX', opset: 17, relus: 1, tensors: [{ name: 'mean' }, {}, {}, {}] },
  })
})
