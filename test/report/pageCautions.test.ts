import { describe, expect, it } from 'vitest'
import { correlationSection } from '../../src/report/pageCautions.ts'
import type { Scope } from '../../src/saliency/choices.ts'
import { emptyPage } from '../support/emptyPage.ts'
import { resultSet } from '../support/shard.ts'

function section(scope: Scope, mapCorrelations: Record<string, number>, images?: number): string {
  const page = emptyPage()
  const counts = Object.fromEntries(Object.keys(mapCorrelations).map((pair) => [pair, images ?? 0]))
  const mapCorrelationImages = images === undefined ? {} : { mapCorrelationImages: counts }
  const summary = { ...page.summary, mapCorrelations, ...mapCorrelationImages }
  return correlationSection({ ...page, set: resultSet('file:///d/', { scope }), summary })
}

describe('what is said of the likeness of maps', () => {
  it('is that they are near-copies where the numbers say so', () => {
    const html = section('all', { 'yaw~pitch': 0.934, 'yaw~roll': 0.86 }, 2000)
    expect(html).toContain('These maps are near-copies of one another (correlation 0.86 to 0.93).')
    expect(html).toContain('no evidence that it serves one rather than another')
    expect(html).toContain('read no direction into guided maps')
  })

  it('of plain gradients that are unlike is neither of near-copies nor of guided maps', () => {
    const html = section('none', { 'yaw~pitch': 0.31, 'yaw~roll': 0.12 }, 2000)
    expect(html).toContain('These maps are no near-copies of one another (correlation 0.12 to 0.31): the objectives')
    expect(html).toContain('noise alone lowers such correlations')
    expect(html).not.toContain('guided')
  })

  it('of maps that are alike without being near-copies is that', () => {
    const html = section('none', { 'yaw~pitch': 0.75 }, 1500)
    expect(html).toContain('no near-copies of one another (correlation 0.75), but alike.')
  })

  it('names the pairs that are near-copies where others are not', () => {
    const html = section('stem', { 'yaw~pitch': 0.9, 'yaw~roll': 0.2 }, 2000)
    expect(html).toContain('The maps of yaw and pitch are near-copies of each other (0.90); the others are not.')
  })

  it('takes a plain gradient and that of the negative for the same map by arithmetic', () => {
    const html = section('none', { 'yaw~-yaw': 1, 'yaw~pitch': 0.2 }, 2000)
    expect(html).toContain('differ in sign alone')
    expect(html).toContain('no near-copies of one another (correlation 0.20)')
    expect(section('all', { 'yaw~-yaw': 0.88 }, 2000)).not.toContain('in sign alone')
  })

  it('tells over how many images, and warns of few', () => {
    expect(section('all', { 'yaw~pitch': 0.9 }, 2000)).toContain('<td class="number">2,000</td>')
    expect(section('all', { 'yaw~pitch': 0.9 }, 2000)).not.toContain('may be chance')
    expect(section('all', { 'yaw~pitch': 0.9 }, 1)).toContain('A mean over 1 image may be chance.')
  })

  it('tells of an earlier version that the figure may be of few', () => {
    const html = section('all', { 'yaw~pitch': 0.9 })
    expect(html).toContain('the images that this run computed')
    expect(html).not.toContain('>images<')
  })

  it('is nothing where there is one objective', () => {
    expect(section('all', {})).toBe('')
  })

  it('holds no markup from names of objectives', () => {
    expect(section('all', { '<b>~yaw': 0.9, 'a~b': 0.1 }, 30)).not.toContain('<b>')
  })
})
