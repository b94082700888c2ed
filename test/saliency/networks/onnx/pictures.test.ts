import { describe } from 'vitest'
import { float, floats, ints, itAgrees, weights } from '../../../support/onnxCase.ts'

describe('padding', () => {
  itAgrees('Pad of operator set 10', {
    x: [1, 2, 3, 4],
    opset: 10,
    steps: [['Pad', ['x'], 'y', { pads: [0, 0, 1, 2, 0, 0, 0, 3] }]],
  })
  itAgrees('Pad with a value of operator set 10', {
    x: [1, 2, 3, 4],
    opset: 10,
    steps: [['Pad', ['x'], 'y', { pads: [0, 0, 1, 2, 0, 0, 0, 3], value: { float: 1.5 } }]],
  })
  itAgrees('Pad', { x: [1, 2, 3, 4], steps: [['Pad', ['x', ints(0, 1, 1, 0, 0, 0, 2, 3)], 'y']] })
  itAgrees('Pad with the lowest float32', {
    x: [1, 2, 3, 4],
    steps: [
      ['Pad', ['x', ints(0, 0, 1, 1, 0, 0, 1, 1), float(-3.4028234663852886e38)], 'a'],
      ['MaxPool', ['a'], 'y', { kernel_shape: [3, 3], strides: [2, 2] }],
    ],
  })
  itAgrees('Pad with minus infinity', {
    x: [1, 2, 3, 4],
    steps: [['Pad', ['x', ints(0, 0, 1, 1, 0, 0, 1, 1), float(-Infinity)], 'y']],
  })
  itAgrees('Pad that crops', {
    x: [1, 2, 5, 6],
    steps: [['Pad', ['x', ints(0, 0, -1, 2, 0, 0, -2, -3), float(2)], 'y']],
  })
  itAgrees('Pad of chosen axes', { x: [1, 2, 3, 4], opset: 18, steps: [['Pad', ['x', ints(1, 2), '', ints(-1)], 'y']] })
  for (const mode of ['reflect', 'edge', 'wrap']) {
    itAgrees(`Pad ${mode}`, {
      x: [1, 2, 4, 5],
      opset: mode === 'wrap' ? 19 : 17,
      steps: [['Pad', ['x', ints(0, 0, 2, 1, 0, 0, 1, 3)], 'y', { mode }]],
    })
  }
})

describe('resizing', () => {
  itAgrees('Upsample of operator set 7', {
    x: [1, 2, 3, 2],
    opset: 7,
    steps: [['Upsample', ['x'], 'y', { scales: { floats: [1, 1, 2, 3] } }]],
  })
  itAgrees('Upsample of operator set 9', {
    x: [1, 2, 3, 2],
    opset: 9,
    steps: [['Upsample', ['x', floats(1, 1, 2, 2)], 'y', { mode: 'nearest' }]],
  })
  itAgrees('Upsample by interpolation', {
    x: [1, 2, 3, 2],
    opset: 9,
    steps: [['Upsample', ['x', floats(1, 1, 2, 2)], 'y', { mode: 'linear' }]],
  })
  itAgrees('Resize of operator set 10', {
    x: [1, 2, 3, 4],
    opset: 10,
    steps: [['Resize', ['x', floats(1, 1, 2, 2)], 'y', { mode: 'nearest' }]],
  })
  for (const coordinates of ['asymmetric', 'half_pixel', 'pytorch_half_pixel', 'align_corners']) {
    const attributes = { coordinate_transformation_mode: coordinates }
    itAgrees(`Resize nearest ${coordinates}`, {
      x: [1, 2, 3, 4],
      steps: [['Resize', ['x', '', floats(1, 1, 3, 2)], 'y', { ...attributes, nearest_mode: 'floor' }]],
    })
    itAgrees(`Resize linear ${coordinates} to sizes`, {
      x: [1, 2, 5, 4],
      steps: [['Resize', ['x', '', '', ints(1, 2, 7, 3)], 'y', { ...attributes, mode: 'linear' }]],
    })
    itAgrees(`Resize linear ${coordinates} by scales`, {
      x: [1, 2, 5, 4],
      steps: [['Resize', ['x', '', floats(1, 1, 1.3, 2.5)], 'y', { ...attributes, mode: 'linear' }]],
    })
  }
  for (const nearest of ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']) {
    itAgrees(`Resize ${nearest}`, {
      x: [1, 2, 3, 4],
      steps: [['Resize', ['x', '', floats(1, 1, 2, 1.5)], 'y', { nearest_mode: nearest }]],
    })
  }
  // Sizes and places that float64 puts on the other side of a whole number or a half.
  for (const [side, scale, mode, coordinates] of [
    [3, 5 / 3, 'linear', 'half_pixel'],
    [5, 7 / 5, 'linear', 'half_pixel'],
    [10, 0.6, 'floor', 'asymmetric'],
    [2, 1.1, 'linear', 'half_pixel'],
    [2, 1.1, 'floor', 'half_pixel'],
  ] as const) {
    itAgrees(`Resize of ${side} by ${scale}, ${mode}, ${coordinates}`, {
      x: [1, 1, 1, side],
      steps: [['Resize', ['x', '', floats(1, 1, 1, scale)], 'y', resizing(mode, coordinates)]],
    })
  }
  for (const [side, size, mode, coordinates] of [
    [10, 6, 'floor', 'half_pixel'],
    [11, 13, 'ceil', 'half_pixel'],
    [20, 6, 'round_prefer_ceil', 'half_pixel'],
    [13, 4, 'round_prefer_ceil', 'asymmetric'],
    [14, 19, 'round_prefer_floor', 'half_pixel'],
    [5, 1, 'linear', 'align_corners'],
    [5, 1, 'linear', 'pytorch_half_pixel'],
  ] as const) {
    itAgrees(`Resize of ${side} to ${size}, ${mode}, ${coordinates}`, {
      x: [1, 1, 1, side],
      steps: [['Resize', ['x', '', '', ints(1, 1, 1, size)], 'y', resizing(mode, coordinates)]],
    })
  }
  for (const [side, size] of [
    [7, 3],
    [13, 11],
    [3, 7],
  ] as const) {
    itAgrees(`Resize of operator set 10 of ${side} to ${size}`, {
      x: [1, 1, 1, side],
      opset: 10,
      steps: [['Resize', ['x', floats(1, 1, 1, size / side)], 'y']],
    })
  }
})

function resizing(mode: string, coordinates: string): Readonly<Record<string, string>> {
  const coordinate_transformation_mode = coordinates
  return mode === 'linear'
    ? { coordinate_transformation_mode, mode }
    : { coordinate_transformation_mode, nearest_mode: mode }
}

describe('blocks of pixels', () => {
  itAgrees('DepthToSpace', { x: [1, 8, 2, 3], steps: [['DepthToSpace', ['x'], 'y', { blocksize: 2 }]] })
  itAgrees('DepthToSpace CRD', {
    x: [2, 18, 2, 3],
    steps: [['DepthToSpace', ['x'], 'y', { blocksize: 3, mode: 'CRD' }]],
  })
  itAgrees('SpaceToDepth', { x: [2, 3, 4, 6], steps: [['SpaceToDepth', ['x'], 'y', { blocksize: 2 }]] })
})

describe('normalisation', () => {
  const four = { type: 'float', shape: [4], data: [0.4, 1.2, 0.9, 2] } as const
  itAgrees('BatchNormalization of an image', {
    x: [2, 4, 3, 3],
    steps: [
      ['BatchNormalization', ['x', weights(4), four, floats(0.1, 0, -2, 1), four], 'y', { epsilon: { float: 1e-3 } }],
    ],
  })
  itAgrees('BatchNormalization of a vector', {
    x: [2, 4],
    opset: 9,
    steps: [['BatchNormalization', ['x', weights(4), four, floats(0.1, 0, -2, 1), four], 'y']],
  })
  itAgrees('InstanceNormalization', {
    x: [2, 4, 3, 3],
    steps: [['InstanceNormalization', ['x', weights(4), four], 'y', { epsilon: { float: 1e-3 } }]],
  })
  itAgrees('InstanceNormalization of three axes', {
    x: [1, 4, 9],
    steps: [['InstanceNormalization', ['x', weights(4), four], 'y']],
  })
  itAgrees('LayerNormalization', { x: [2, 3, 4], steps: [['LayerNormalization', ['x', weights(4), four], 'y']] })
  itAgrees('LayerNormalization of two axes', {
    x: [2, 3, 4],
    steps: [['LayerNormalization', ['x', weights(3, 4)], 'y', { axis: 1 }]],
  })
  itAgrees('GroupNormalization', {
    x: [2, 8, 3, 3],
    opset: 18,
    steps: [['GroupNormalization', ['x', weights(4), four], 'y', { num_groups: 4 }]],
  })
  itAgrees('LpNormalization', { x: [2, 3, 4], steps: [['LpNormalization', ['x'], 'y', { axis: 1 }]] })
  itAgrees('LpNormalization of absolute values', { x: [2, 3, 4], steps: [['LpNormalization', ['x'], 'y', { p: 1 }]] })
  itAgrees('LRN', {
    x: [1, 6, 2, 3],
    steps: [['LRN', ['x'], 'y', { size: 5, alpha: { float: 0.5 }, beta: { float: 0.75 }, bias: { float: 2 } }]],
  })
})
