import { expect, test } from 'vitest'
import { classScore, topClassScore } from '../../src/saliency/classScore.ts'

test('is the softmax that PyTorch gives', () => {
  // torch.tensor([1., 2., 3.], dtype=torch.float64).softmax(0)
  const expected = [0.09003057317038045, 0.24472847105479764, 0.6652409557748218]
  for (const [index, probability] of expected.entries()) {
    const score = classScore(Float32Array.of(1, 2, 3), index)
    expect(score).toEqual({ class: index, probability: expect.closeTo(probability, 14) as number, logit: index + 1 })
  }
})

test('stays finite where the exponential of a logit is not', () => {
  expect(topClassScore(Float32Array.of(-2000, 1000, 999))).toEqual({
    class: 1,
    probability: expect.closeTo(1 / (1 + Math.exp(-1)), 14) as number,
    logit: 1000,
  })
  expect(classScore(Float32Array.of(-2000, -1000), 0).probability).toBe(0)
})

test('of equal classes the first is the top one', () => {
  expect(topClassScore(Float32Array.of(-7, -3, -3))).toEqual({
    class: 1,
    probability: expect.closeTo(0.495, 3) as number,
    logit: -3,
  })
})

test('of a class that there is not is refused', () => {
  expect(() => classScore(Float32Array.of(1, 2), 2)).toThrow('no class 2 among 2')
})
