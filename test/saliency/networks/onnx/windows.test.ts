import { describe, expect, it } from 'vitest'
import { floats, importedCase, itAgrees, weights, type Step } from '../../../support/onnxCase.ts'

describe('Conv', () => {
  const weight = weights(4, 3, 3, 3)
  itAgrees('with bias and padding', {
    x: [2, 3, 6, 5],
    steps: [['Conv', ['x', weight, weights(4)], 'y', { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }]],
  })
  itAgrees('with padding that differs on each side', {
    x: [1, 3, 6, 5],
    steps: [['Conv', ['x', weight], 'y', { pads: [0, 2, 1, 3], strides: [2, 1] }]],
  })
  itAgrees('in groups', { x: [1, 6, 5, 5], steps: [['Conv', ['x', weights(4, 3, 3, 3)], 'y', { group: 2 }]] })
  itAgrees('for each channel', { x: [1, 4, 5, 5], steps: [['Conv', ['x', weights(4, 1, 3, 3)], 'y', { group: 4 }]] })
  itAgrees('of 1×7', { x: [1, 3, 5, 8], steps: [['Conv', ['x', weights(2, 3, 1, 7)], 'y', { pads: [0, 3, 0, 3] }]] })
  itAgrees('dilated', {
    x: [1, 3, 9, 8],
    steps: [['Conv', ['x', weight], 'y', { dilations: [2, 3], pads: [2, 3, 2, 3] }]],
  })
  itAgrees('dilated and strided', {
    x: [1, 3, 9, 8],
    steps: [['Conv', ['x', weight], 'y', { dilations: [2, 1], strides: [2, 2], pads: [2, 1, 2, 1] }]],
  })
  for (const mode of ['SAME_UPPER', 'SAME_LOWER', 'VALID']) {
    itAgrees(`auto_pad ${mode}`, {
      x: [1, 3, 8, 7],
      steps: [['Conv', ['x', weight], 'y', { auto_pad: mode, strides: [2, 2] }]],
    })
    itAgrees(`auto_pad ${mode} with an even kernel`, {
      x: [1, 3, 8, 7],
      steps: [['Conv', ['x', weights(2, 3, 4, 2)], 'y', { auto_pad: mode }]],
    })
  }
  itAgrees('fused with an activation', {
    x: [1, 3, 5, 5],
    steps: [['com.microsoft.FusedConv', ['x', weight, weights(4)], 'y', { activation: 'Relu' }]],
  })
  itAgrees('fused with a sum and a clip', {
    x: [1, 3, 5, 5],
    steps: [
      [
        'com.microsoft.FusedConv',
        ['x', weight, weights(4), weights(1, 4, 3, 3)],
        'y',
        { activation: 'Clip', activation_params: { floats: [-0.5, 1] } },
      ],
    ],
  })
  for (const [activation, params] of [
    ['LeakyRelu', [0.2]],
    ['HardSigmoid', [0.3, 0.4]],
    ['Sigmoid', []],
    ['Tanh', []],
  ] as const) {
    itAgrees(`fused with ${activation}`, {
      x: [1, 3, 5, 5],
      steps: [['com.microsoft.FusedConv', ['x', weight], 'y', { activation, activation_params: { floats: params } }]],
    })
  }
})

describe('ConvTranspose', () => {
  itAgrees('with strides', {
    x: [2, 3, 4, 5],
    steps: [['ConvTranspose', ['x', weights(3, 2, 3, 3), weights(2)], 'y', { strides: [2, 2], pads: [1, 0, 1, 1] }]],
  })
  itAgrees('in groups with output_padding', {
    x: [1, 4, 3, 3],
    steps: [['ConvTranspose', ['x', weights(4, 3, 2, 3)], 'y', { group: 2, strides: [2, 3], output_padding: [1, 2] }]],
  })
  itAgrees('dilated', {
    x: [1, 3, 4, 4],
    steps: [['ConvTranspose', ['x', weights(3, 2, 3, 3)], 'y', { dilations: [2, 2] }]],
  })
})

describe('MaxPool', () => {
  itAgrees('with padding', {
    x: [2, 3, 7, 8],
    steps: [['MaxPool', ['x'], 'y', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }]],
  })
  for (const [kernel, stride, pad] of [
    [3, 2, 0],
    [3, 2, 1],
    [2, 2, 0],
    [2, 3, 0],
    [2, 2, 1],
  ] as const) {
    for (const side of [5, 6, 7, 8]) {
      itAgrees(`of ${kernel}, stride ${stride}, padding ${pad}, ceil_mode, ${side} wide`, {
        x: [1, 2, side, side + 1],
        steps: [
          [
            'MaxPool',
            ['x'],
            'y',
            { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad], ceil_mode: 1 },
          ],
        ],
      })
    }
  }
  for (const mode of ['SAME_UPPER', 'SAME_LOWER', 'VALID']) {
    itAgrees(`auto_pad ${mode}`, {
      x: [1, 2, 7, 8],
      steps: [['MaxPool', ['x'], 'y', { kernel_shape: [3, 2], strides: [2, 2], auto_pad: mode }]],
    })
  }
  itAgrees('over everything', { x: [2, 3, 4, 5], steps: [['GlobalMaxPool', ['x'], 'y']] })
})

describe('a pool with padding as wide as its window', () => {
  it.each(['MaxPool', 'AveragePool'])('is not read: %s', (operator) => {
    const steps: Step[] = [[operator, ['x'], 'y', { kernel_shape: [3, 2], pads: [1, 1, 1, 2] }]]
    expect(importedCase({ x: [1, 2, 7, 7], steps }).get('y')).toMatchObject({
      why: expect.stringMatching(/pads 1, 1, 1, 2 around a window of 3×2/) as string,
    })
  })
})

describe('AveragePool', () => {
  for (const [kernel, stride, pad] of [
    [3, 1, 1],
    [3, 2, 1],
    [3, 2, 0],
    [2, 2, 0],
    [2, 2, 1],
    [5, 3, 2],
  ] as const) {
    for (const included of [0, 1]) {
      for (const ceil of [0, 1]) {
        itAgrees(`of ${kernel}, stride ${stride}, padding ${pad}, count_include_pad ${included}, ceil_mode ${ceil}`, {
          x: [1, 2, 7, 8],
          opset: 19,
          steps: [
            [
              'AveragePool',
              ['x'],
              'y',
              {
                kernel_shape: [kernel, kernel],
                strides: [stride, stride],
                pads: [pad, pad, pad, pad],
                count_include_pad: included,
                ceil_mode: ceil,
              },
            ],
          ],
        })
      }
    }
  }
  itAgrees('auto_pad SAME_UPPER', {
    x: [1, 2, 7, 8],
    steps: [['AveragePool', ['x'], 'y', { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }]],
  })
  for (const included of [0, 1]) {
    itAgrees(`along the first of three axes, count_include_pad ${included}`, {
      x: [2, 1, 6, 3, 4],
      steps: [
        ['AveragePool', ['x'], 'y', { kernel_shape: [5, 1, 1], pads: [2, 0, 0, 1, 0, 0], count_include_pad: included }],
      ],
    })
  }
  itAgrees('of 1×1', { x: [1, 2, 7, 7], steps: [['AveragePool', ['x'], 'y', { kernel_shape: [1, 1] }]] })
  itAgrees('of the whole plane', { x: [1, 2, 7, 8], steps: [['AveragePool', ['x'], 'y', { kernel_shape: [7, 8] }]] })
  itAgrees('over everything', { x: [2, 3, 4, 5], steps: [['GlobalAveragePool', ['x'], 'y']] })
})

describe('linear layers', () => {
  itAgrees('Gemm', { x: [2, 3], steps: [['Gemm', ['x', weights(3, 4), weights(4)], 'y']] })
  itAgrees('Gemm with all its attributes', {
    x: [3, 2],
    steps: [
      [
        'Gemm',
        ['x', weights(4, 3), floats(0.5)],
        'y',
        { transA: 1, transB: 1, alpha: { float: 0.3 }, beta: { float: -2 } },
      ],
    ],
  })
  for (const [activation, attributes] of [
    ['Relu', {}],
    ['LeakyRelu', { activation_alpha: { float: 0.2 } }],
    ['HardSigmoid', { activation_alpha: { float: 0.3 }, activation_beta: { float: 0.4 } }],
  ] as const) {
    itAgrees(`Gemm fused with ${activation}`, {
      x: [2, 3],
      steps: [
        [
          'com.microsoft.FusedGemm',
          ['x', weights(3, 4), weights(4)],
          'y',
          { alpha: { float: 2 }, activation, ...attributes },
        ],
      ],
    })
  }
  itAgrees('Gemm without a third input', { x: [2, 3], opset: 11, steps: [['Gemm', ['x', weights(3, 4)], 'y']] })
  itAgrees('MatMul', { x: [2, 3, 4], steps: [['MatMul', ['x', weights(4, 5)], 'y']] })
  itAgrees('MatMul from the left', { x: [3, 4], steps: [['MatMul', [weights(2, 1, 5, 3), 'x'], 'y']] })
  itAgrees('MatMul of two images', {
    x: [2, 3, 4],
    steps: [
      ['Transpose', ['x'], 'a', { perm: [0, 2, 1] }],
      ['MatMul', ['x', 'a'], 'y'],
    ],
  })
})

it('a convolution whose bias depends on the image is not computed: its gradient would not pass there', () => {
  const steps: Step[] = [
    ['ReduceMean', ['x'], 'a', { axes: [0, 2, 3], keepdims: 0 }],
    ['Conv', ['x', weights(3, 3, 1, 1), 'a'], 'y'],
  ]
  const value = importedCase({ x: [1, 3, 2, 2], steps }).get('y')
  expect(value).toMatchObject({ why: expect.stringContaining('with an input 2 that depends on the image') as string })
})
