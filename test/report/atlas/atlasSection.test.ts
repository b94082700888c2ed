import { describe, expect, it } from 'vitest'
import type { Aggregates } from '../../../src/output/aggregates.ts'
import { unplaced } from '../../../src/output/poseMaps.ts'
import { poseCell } from '../../../src/pose/poseCell.ts'
import { Aggregator } from '../../../src/report/aggregates/aggregator.ts'
import { atlasData, atlasName, atlasSection } from '../../../src/report/atlas/atlasSection.ts'
import { drawAtlas } from '../../../src/report/atlas/drawAtlas.ts'
import { compact } from '../../../src/report/numberText.ts'
import type { Scope } from '../../../src/saliency/choices.ts'
import { cellOf, poseMaps, spotAt } from '../../support/poseMaps.ts'
import { resultSet } from '../../support/shard.ts'

const spot = spotAt(14, 14)

async function content(options: {
  objectives?: readonly string[]
  cells?: readonly (readonly [cell: number, n: number])[]
  inputs?: readonly (readonly [cell: number, n: number])[]
  aggregates?: Aggregates
  scope?: Scope
  hasAngles?: boolean
}) {
  const {
    objectives = ['yaw'],
    cells = [[poseCell(-10, 5), 812]],
    inputs,
    aggregates = null,
    scope = 'all',
    hasAngles = true,
  } = options
  const maps = cells.map(([cell, n]) => [cell, cellOf(n, ...objectives.map(() => spot))] as const)
  const grey = inputs?.map(([cell, n]) => [cell, cellOf(n, () => 100)] as const)
  const atlas = await drawAtlas(poseMaps(objectives, maps), grey ? poseMaps(['input'], grey) : null)
  return { atlas, aggregates, set: resultSet('file:///d/', { scope }), hasAngles }
}

describe('the atlas', () => {
  it('is no section in a result set of an earlier version', () => {
    const none = { atlas: null, aggregates: null, set: resultSet('file:///d/'), hasAngles: true }
    expect(atlasSection(none)).toBe('')
    expect(atlasData(none)).toBeUndefined()
  })

  it('has a cell for each occupied one, whose label tells pose, n and errors', async () => {
    const aggregator = new Aggregator()
    const row = { status: 'ok', labelYaw: -10, labelPitch: 5, labelRoll: 0, yaw: -7, pitch: 5, roll: 0 } as const
    const errors = { errorYaw: 3, errorPitch: 0, errorRoll: -0.01 }
    aggregator.addRow({ ...row, ...errors, leftOutOfErrors: false } as never)
    aggregator.addRow({ ...row, ...errors, errorYaw: -1, leftOutOfErrors: false } as never)
    const html = atlasSection(await content({ aggregates: aggregator.finish() }))
    expect(html).toContain(
      'aria-label="yaw −15 to 0°, pitch 0 to 15°, 812 images, yaw mean error 2.0°, bias +1.0°, pitch mean error 0.0°, bias 0.0°, roll mean error 0.0°, bias 0.0°"',
    )
    expect(html.match(/role="gridcell"/g)).toHaveLength(1)
    expect(html).toContain('by its label.')
  })

  it('writes n into each tile and hatches those below 20', async () => {
    const html = atlasSection(
      await content({
        cells: [
          [300, 19],
          [301, 20],
          [302, 1234],
        ],
      }),
    )
    const tiles = [...html.matchAll(/class="cell( sparse)?"(?:.*?)<text class="n"[^>]*>([^<]*)</g)]
    expect(tiles.map(([, sparse, n]) => [n, sparse !== undefined])).toEqual([
      ['19', true],
      ['20', false],
      ['1.2k', false],
    ])
  })

  it('gives the script the counts of each picture, those of the inputs apart', async () => {
    const data = atlasData(
      await content({
        cells: [
          [300, 30],
          [301, 40],
        ],
        inputs: [[300, 7]],
      }),
    )
    expect(data).toMatchObject({
      rows: 1,
      counts: { maps: [30, 40], inputs: [7, 0] },
      pictures: [
        { view: 'mean', n: 70 },
        { view: 'difference', n: 70 },
        { view: 'input', n: 7 },
      ],
    })
  })

  it('escapes names of objectives', async () => {
    const objectives = ['output:<b onclick=x>:1', 'yaw']
    for (const cells of [[[300, 3]], [[unplaced, 3]]] as const) {
      const html = atlasSection(await content({ objectives, cells }))
      expect(html).not.toContain('<b ')
      expect(html).toContain('output:&lt;b onclick=x&gt;:1')
    }
  })

  it('offers the inputs and blinking only where there are inputs', async () => {
    expect(atlasSection(await content({}))).not.toMatch(/atlas-blink|value="input"|[Bb]link/)
    expect(atlasSection(await content({ inputs: [[300, 7]] }))).toMatch(/id="atlas-blink".*Blink map and input/)
  })

  it('offers a choice of objectives where there are several, and counts those that it leaves out', async () => {
    expect(atlasSection(await content({}))).not.toContain('atlas-objective')
    const html = atlasSection(await content({ objectives: ['a', 'b', 'c', 'd', 'e'] }))
    expect(html.match(/name="atlas-objective"/g)).toHaveLength(4)
    expect(html).toContain('1 more objective is in <code>atlas.bin</code> and not shown here.')
  })

  it('is the overall mean alone where no pose places the images', async () => {
    const placeless = await content({
      objectives: ['class:top'],
      cells: [[unplaced, 9]],
      inputs: [[unplaced, 9]],
      hasAngles: false,
    })
    const html = atlasSection(placeless)
    expect(html).toContain('mean map, objective class:top: 9 images')
    expect(html).not.toMatch(/role="grid"|tiles compare|heads|[Bb]link/)
    expect(atlasName(placeless)).toBe('Mean maps')
    expect(atlasData(placeless)).toBeUndefined()
  })

  it('says what it does not show, and of guided maps that they resemble edges', async () => {
    const guided = atlasSection(await content({ inputs: [[300, 7]] }))
    expect(guided).toContain('not registered to one another')
    expect(guided).toContain('never the strength')
    expect(guided).toContain('resemble the edges')
    expect(atlasSection(await content({ scope: 'none' }))).not.toContain('resemble the edges')
  })
})

it('counts fit a tile', () => {
  const counts = [0, 999, 1000, 1249, 9949, 9951, 80_600, 999_499, 999_500, 1_234_567, 134_000_000]
  expect(counts.map(compact)).toEqual(['0', '999', '1k', '1.2k', '9.9k', '10k', '81k', '999k', '1M', '1.2M', '134M'])
})
