import { expect, it } from 'vitest'
import { activationKind, activationsBetween, guidedActivations } from '../../src/saliency/activations.ts'
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
