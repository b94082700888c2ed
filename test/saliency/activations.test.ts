import { expect, it } from 'vitest'
import { activationKind, activationsBetween, guidedActivations, kindsBetween } from '../../src/saliency/activations.ts'
import { constant, make } from '../../src/saliency/ops.ts'
import { times } from '../support/operationExamples.ts'

const image = make('input', [], { name: 'x', shape: [1, 3], dtype: 'float32' })
const first = make('relu6', [times(image, 1)])
const second = make('relu', [times(first, 2)])
const third = make('prelu', [times(first, 3), constant([0.1], [1])])
const beside = make('relu', [constant([1, 2, 3], [1, 3])])
const y = make('add', [make('add', [second, beside]), third])

it('finds the activations between image and outputs, in order, and no other', () => {
  make('relu', [times(first, 4)])
  const found = activationsBetween(image, [y])
  expect(found).toEqual([first, second, third])
  expect(found.map(activationKind)).toEqual(['relu6', 'relu', 'prelu'])
  expect(activationKind(y)).toBeUndefined()
})

it('says which of them a scope guides', () => {
  const activations = activationsBetween(image, [y])
  expect(guidedActivations(activations, 'all', 'guided')).toEqual([first, second, third])
  expect(guidedActivations(activations, 'all', 'plain')).toEqual([second, third])
  expect(guidedActivations(activations, 'stem', 'guided')).toEqual([first])
  expect(guidedActivations(activations, 'stem', 'plain')).toEqual([second])
  expect(guidedActivations(activations, 'none', 'guided')).toEqual([])
})

it('finds those that are never guided too, a gate that multiplies its own input with its product', () => {
  const hard = { alpha: 1 / 6, beta: 0.5 }
  const swish = make('mul', [first, make('hardSigmoid', [first], hard)])
  const silu = make('mul', [make('sigmoid', [swish]), swish])
  // Of another value: squeeze-and-excitation.
  const gate = make('hardSigmoid', [times(silu, 2)], hard)
  const scaled = make('mul', [silu, gate])
  const other = make('sigmoid', [scaled])
  const squashed = make('tanh', [make('clip', [make('mul', [times(scaled, 3), other])], { min: -1, max: 1 })])
  const beside = make('tanh', [constant([1, 2, 3], [1, 3])])
  const last = make('add', [make('relu', [squashed]), make('softmax', [make('exp', [beside])])])
  const kinds = kindsBetween(image, [last])
  expect([...kinds.values()]).toEqual(['relu6', 'hardSwish', 'silu', 'hardSigmoid', 'sigmoid', 'clip', 'tanh', 'relu'])
  expect([...kinds.keys()].slice(0, 4)).toEqual([first, swish, silu, gate])
  expect(activationsBetween(image, [last]).map(activationKind)).toEqual(['relu6', 'relu'])
})
