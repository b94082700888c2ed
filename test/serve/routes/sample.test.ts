import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addresses } from '../../../src/serve/addresses.ts'
import { everything, type Selection } from '../../../src/serve/selection.ts'
import type { Refusal, SampleReply } from '../../../src/serve/wire.ts'
import { openStore } from '../../../src/storage/open.ts'
import type { Store } from '../../../src/storage/store.ts'
import { placeIn, putComparedRun, resultSetOf, runIds } from '../../support/comparedOutput.ts'
import type { Fixture } from '../../support/reportFixture.ts'
import {
  firstNight,
  hostileKeys,
  servedApp,
  servedOutput,
  servedSamples,
  type ServedApp,
} from '../../support/servedApp.ts'

describe('one image', () => {
  let fixture: Fixture
  let app: ServedApp
  beforeAll(async () => {
    fixture = await servedOutput()
    app = await servedApp(fixture.output)
  })
  afterAll(async () => {
    await app?.close()
    await fixture?.remove()
  })
  const sample = (key: string, selection: Selection = everything, objective: string | null = null) =>
    app.json<SampleReply>(addresses.sampleReply(fixture.set.id, firstNight, key, selection, objective))

  it('comes with its numbers, bins, frame and neighbours', async () => {
    const reply = await sample('heads/044.png')
    expect(reply).toMatchObject({
      run: firstNight,
      stateRun: firstNight,
      objectives: ['yaw', 'pitch'],
      message: null,
      imageSize: { width: 64, height: 48 },
      inputSize: { width: 224, height: 224 },
    })
    expect(reply.row).toMatchObject({ key: 'heads/044.png', subject: 'person 8', sequence: 'take 0' })
    expect(reply.bins).toEqual(
      ['yaw', 'pitch', 'roll'].map((angle) => ({ angle, topBin: 30, topProbability: 0.4, std: 4, entropy: 1.2 })),
    )
    expect(reply.neighbours).toHaveLength(12)
    // The same yaw and pitch lie 28 images apart; their rolls are 4°, 2° and 1°.
    expect(reply.neighbours.slice(0, 2).map(({ key }) => key)).toEqual(['heads/072.png', 'heads/016.png'])
    expect(reply.maps.map(({ objective, fate }) => [objective, fate])).toEqual([
      ['yaw', 'stands'],
      ['pitch', 'stands'],
    ])
  })

  it('has no bins where the network has none', async () => {
    expect((await sample('no label.png')).bins).toEqual([])
  })

  it('says why it failed, and that it has no map', async () => {
    const reply = await sample('bad.png')
    expect(reply.message).toBe('<script>document.title=2</script> ends early')
    expect(reply.row).toMatchObject({ status: 'failed', code: 'corrupt-image' })
    expect([reply.crop, reply.imageSize, reply.neighbours]).toEqual([null, null, []])
    expect(reply.maps.map(({ fate }) => fate)).toEqual(['none', 'none'])
  })

  it('is left out of errors where a label lies beyond the limit', async () => {
    expect((await sample('beyond.png')).row).toMatchObject({ isLeftOutOfErrors: true, meanError: null })
  })

  it('has a place in the selection, with what lies beside it there', async () => {
    const selection = { ...everything, subjects: ['person 7'], sort: 'absErrorYaw', isDescending: true } as const
    const keys = servedSamples()
      .filter(({ subject }) => subject === 'person 7')
      .map(({ key, label, estimate }) => ({ key, error: Math.abs((estimate?.[0] ?? 0) - (label?.[0] ?? 0)) }))
      .toSorted((a, b) => b.error - a.error)
      .map(({ key }) => key)
    const [first = '', second = ''] = keys
    expect((await sample(first, selection)).position).toEqual({
      position: 0,
      count: keys.length,
      previous: null,
      next: second,
    })
    expect((await sample(second, selection)).position).toMatchObject({ position: 1, previous: first, next: keys[2] })
    expect((await sample(keys.at(-1) ?? '', selection)).position?.next).toBeNull()
    expect((await sample('heads/001.png', selection)).position).toBeNull()
  })

  it.each(hostileKeys)('names its files, and the command that explains it: %s', async (key) => {
    const { imageUri, maps, explain } = await sample(key, everything, 'pitch')
    expect(imageUri).toBe(`${new URL(fixture.dataset.uri).pathname}${key}`)
    expect(maps[1]?.uri).toMatch(/\/maps\/pitch\/[^]*\.png$/)
    expect(explain).toContain('--objective=pitch')
    expect(explain).toContain(key.replaceAll("'", String.raw`'\''`))
  })

  it('is refused in a sentence where the run has none of this key', async () => {
    const response = await app.get(
      addresses.sampleReply(fixture.set.id, firstNight, 'heads/../bad.png', everything, null),
    )
    expect(response.status).toBe(404)
    expect(((await response.json()) as Refusal).error.message).toMatch(/has no image heads\/\.\.\/bad\.png/)
  })
})

describe('one image of a run that is not the state any more', () => {
  const set = resultSetOf({})
  const [first, second] = runIds
  let folder: string
  let output: Store
  let app: ServedApp

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headlight-sample-'))
    output = openStore(folder)
    const night = ['again.png', 'gone.png', 'stays.png'].map((key) => ({ key, maps: [0.5] }))
    await putComparedRun(output, set, night, { run: first })
    const rows = [
      { key: 'again.png', maps: [0.6] },
      { key: 'stays.png', place: placeIn(first, 2, 3) },
    ]
    await putComparedRun(output, set, rows, { run: second, base: first })
    app = await servedApp(output)
  })
  afterAll(async () => {
    await app?.close()
    output.close()
    await rm(folder, { recursive: true, force: true })
  })

  it.each([
    ['again.png', 'overwritten', /overwr/],
    ['gone.png', 'gone', /./],
  ])('has no map where another may lie: %s is %s', async (key, fate, reason) => {
    const reply = await app.json<SampleReply>(addresses.sampleReply(set.id, first, key, everything, null))
    expect([reply.stateRun, reply.maps[0]?.fate]).toEqual([second, fate])
    for (const show of ['map', 'overlay', 'card'] as const) {
      const response = await app.get(addresses.picture(set.id, first, key, show))
      expect(response.status).toBe(404)
      expect(((await response.json()) as Refusal).error.message).toMatch(reason)
    }
  })

  it('has its map where the state has the very same row', async () => {
    const reply = await app.json<SampleReply>(addresses.sampleReply(set.id, first, 'stays.png', everything, null))
    expect(reply.maps[0]?.fate).toBe('stands')
  })
})
