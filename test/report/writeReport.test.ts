import sharp from 'sharp'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { InputError, SampleError, TransientError } from '../../src/base/errors.ts'
import { createLogger } from '../../src/base/telemetry.ts'
import { putAggregates } from '../../src/output/aggregates.ts'
import { publish } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { putSummary } from '../../src/output/summary.ts'
import { Aggregator } from '../../src/report/aggregates/aggregator.ts'
import type { GallerySample } from '../../src/report/pageContent.ts'
import { writeReport } from '../../src/report/writeReport.ts'
import { descriptionSchema } from '../../src/saliency/networks/description.ts'
import type { Store } from '../../src/storage/store.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { labelledRows } from '../support/labelledRows.ts'
import { makeResultSet, solidPng, type Fixture, type FixtureSample } from '../support/reportFixture.ts'

const log = createLogger('silent')
const { signal } = new AbortController()
let fixture: Fixture | undefined

afterEach(async () => {
  await fixture?.remove()
  fixture = undefined
})

async function report(
  options: Parameters<typeof makeResultSet>[0],
  change: (made: Fixture) => Partial<Fixture> = () => ({}),
) {
  fixture = await makeResultSet(options)
  const { output, dataset, set, summary } = { ...fixture, ...change(fixture) }
  await writeReport({ output, dataset, set, summary, signal, log })
  const written = await fixture.output.get(layout.report(fixture.set.id))
  const html = Buffer.from(written?.bytes ?? []).toString('utf8')
  const json = /<script type="application\/json" id="samples">(.*?)<\/script>/s.exec(html)?.[1] ?? ''
  const { samples } = JSON.parse(json) as { samples: GallerySample[] }
  return { html, samples }
}

const nothing = () => Promise.resolve(null)

function labelled(count: number): FixtureSample[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `k/${String(i).padStart(4, '0')}.png`,
    estimate: [i / 10, 0, 0] as const,
    label: [0, 0, 0] as const,
  }))
}

it('shows a face beneath its map, out of the image that it is in', async () => {
  const columns = { face: 'person' }
  const adapter = { name: 'csv' as const, applyExifOrientation: false, index: 'index.csv', columns }
  const { samples } = await report(
    { samples: [{ key: 'a.png#1' }, { key: 'gone.png#1' }], image: nothing },
    (made) => ({
      set: { ...made.set, options: { ...made.set.options, adapter } },
      dataset: wrapped(made.dataset, {
        head: async (key) => (key === 'a.png' ? { key, etag: 'e', sizeBytes: 9 } : undefined),
        get: async (key) => ({ info: { key, etag: 'e', sizeBytes: 9 }, bytes: await solidPng(64, 48, [200, 120, 40]) }),
      }),
    }),
  )
  expect(samples.map(({ key, notes }) => [key, notes])).toEqual([
    ['a.png#1', []],
    ['gone.png#1', ['image cannot be read now']],
  ])
})

describe('the chosen samples', () => {
  it('are the 200 worst and 200 evenly spaced ones, with a picture each', async () => {
    const { samples } = await report({ samples: labelled(450), image: nothing, map: nothing })
    expect(samples.filter(({ worst }) => worst).map(({ order }) => order)).toEqual(
      Array.from({ length: 200 }, (_, i) => 449 - i),
    )
    expect(samples.filter(({ spaced }) => spaced)).toHaveLength(200)
    const picture = Buffer.from(samples[0]?.picture.split(',')[1] ?? '', 'base64')
    expect((await sharp(picture).metadata()).format).toBe('webp')
  })

  it('are evenly spaced only when there are no labels', async () => {
    const { samples, html } = await report({ samples: labelled(5).map(({ key }) => ({ key })) })
    expect(samples.map(({ worst, spaced }) => [worst, spaced])).toEqual(samples.map(() => [false, true]))
    expect(html).toContain('there is no angle error to report')
    expect(html).not.toContain('value="error:yaw"')
  })

  it('carry angles, and their keys once for all objectives', async () => {
    const samples: FixtureSample[] = [{ key: 'a b/50%#1?.jpg', estimate: [5, -6, 7], label: [1, 2, 3] }]
    const { html, samples: shown } = await report({ samples, objectives: ['yaw', '-yaw'] })
    const [sample] = shown
    expect(sample).toMatchObject({ estimate: [5, -6, 7], label: [1, 2, 3], error: [4, -8, 4], notes: [] })
    expect(sample?.mean).toBeCloseTo(16 / 3)
    expect(html.split('a b/50%#1?')).toHaveLength(2)
    expect(html).not.toContain('a%20b')
  })

  it('are marked when a label lies beyond ±99°', async () => {
    const { samples } = await report({ samples: [{ key: 'a.png', estimate: [90, 0, 0], label: [120, 0, 0] }] })
    expect(samples[0]).toMatchObject({ mean: null, worst: false, notes: ['beyond ±99°, not counted'] })
  })

  it('say which class their map is of where that is their own', async () => {
    const notes = async (objective: string) =>
      (await report({ samples: [{ key: 'a.png', class: 3 }], objectives: [objective] })).samples[0]?.notes
    expect(await notes('class:label')).toEqual(['labelled class 3'])
    expect(await notes('class:1')).toEqual([])
  })
})

describe('of an ordinary classifier', () => {
  const classifier = (made: Fixture): Partial<Fixture> => {
    const description = descriptionSchema.parse(made.set.network.description)
    const heads = [{ kind: 'classes', output: 'fc', classes: 1000 }]
    return { set: { ...made.set, network: { ...made.set.network, description: { ...description, heads } } } }
  }

  it('cards tell the likeliest class, and nothing is said of angles', async () => {
    const samples = [{ key: 'a.png', top: [238, 0.93] as const, labelFault: 'yaw is no number' }]
    const { html, samples: shown } = await report({ samples, objectives: ['class:top'] }, classifier)
    expect(shown[0]).toMatchObject({ top: { class: 238, probability: 0.93 } })
    expect(html).toContain('<option value="top">')
    expect(html).not.toMatch(/>Angles<|no angle error|<option value="estimate/)
  })

  it('cards tell no class where the table has none, as that of class:N', async () => {
    const { html, samples } = await report({ samples: [{ key: 'a.png' }], objectives: ['class:1'] }, classifier)
    expect(samples[0]?.top).toBeNull()
    expect(html).not.toContain('<option value="top">')
  })

  it('alone the section on angles is left out', async () => {
    const { html, samples } = await report({ samples: [{ key: 'a.png' }] })
    expect(samples[0]?.top).toBeNull()
    expect(html).toContain('>Angles<')
    expect(html).toContain('<option value="estimate:yaw">')
  })
})

describe('labels', () => {
  it('that cannot be used are told, with the first of them, and on their own cards', async () => {
    const faulty = ['b.png', 'c.png'].map((key) => ({ key, labelFault: `<${key}> is no number` }))
    const { html, samples } = await report({ samples: [{ key: 'a.png', label: [1, 2, 30] }, ...faulty] })
    expect(html).toContain('2 labels cannot be used')
    expect(html).toContain('<span class="key">b.png</span>: &lt;b.png&gt; is no number')
    expect(html).toContain('None was excluded; 2 more have labels that cannot be used.')
    expect(samples.find(({ key }) => key === 'c.png')?.notes).toEqual(['label cannot be used: <c.png> is no number'])
  })

  it('are told of where none can be used, too, and not where all can', async () => {
    const { html } = await report({ samples: [{ key: 'a.png', labelFault: 'yaw is no number' }] })
    expect(html).toContain('1 label cannot be used')
    await fixture?.remove()
    const sound = await report({ samples: [{ key: 'a.png', label: [1, 2, 30] }] })
    expect(sound.html).not.toMatch(/cannot be used|radians\?/)
  })

  it('that look like radians are told', async () => {
    const { html } = await report({ samples: [{ key: 'a.png', label: [0.3, -1.2, 0] }] })
    expect(html).toContain('are they radians?')
  })
})

describe('what cannot be read', () => {
  it('becomes a placeholder: gone or broken images and maps', async () => {
    const { samples } = await report({
      samples: labelled(4),
      image: (i) => Promise.resolve(i === 1 ? null : i === 2 ? Buffer.from('no image') : solidPng(64, 48, [1, 2, 3])),
      map: (i) => Promise.resolve(i === 3 ? null : solidPng(8, 8, [1, 2, 3])),
    })
    const notes = samples.toSorted((a, b) => a.order - b.order).map((sample) => sample.notes)
    expect(notes).toEqual([[], ['image cannot be read now'], ['image cannot be read now'], ['map cannot be read now']])
  })

  it('is no failure when the whole dataset is out of reach', async () => {
    const refuse = () => Promise.reject(new TransientError('store-busy', 'the store did not answer'))
    const { samples } = await report({ samples: labelled(3) }, ({ dataset }) => ({ dataset: withGet(dataset, refuse) }))
    expect(samples.map(({ notes }) => notes)).toEqual(samples.map(() => ['image cannot be read now']))
  })

  it('is not asked for any more after three faults of its store in a row', async () => {
    const asked: string[] = []
    const refuse = (key: string) => {
      asked.push(key)
      return Promise.reject(new TransientError('store-busy', 'the store did not answer'))
    }
    const { samples } = await report({ samples: labelled(60) }, ({ dataset }) => ({
      dataset: withGet(dataset, refuse),
    }))
    expect(samples).toHaveLength(60)
    // Sixteen are fetched at a time: those under way when the third fails may fail as well.
    expect(asked.length).toBeLessThanOrEqual(3 + 15)
    // The output is another store, and its maps were all there.
    expect(new Set(samples.map(({ notes }) => notes.join()))).toEqual(new Set(['image cannot be read now']))
  })

  it('is asked for on and on while only objects are bad', async () => {
    const asked: string[] = []
    await report({ samples: labelled(20) }, ({ dataset }) => ({
      dataset: withGet(dataset, (key) => {
        asked.push(key)
        return Promise.reject(new SampleError('unavailable', 'access to this object is refused'))
      }),
    }))
    expect(asked).toHaveLength(20)
  })

  it('holds nobody up who wants to stop', async () => {
    fixture = await makeResultSet({ samples: labelled(20) })
    const { output, set, summary } = fixture
    const stop = new AbortController()
    const dataset = withGet(fixture.dataset, () => {
      stop.abort(new Error('interrupted'))
      return Promise.reject(new TransientError('store-busy', 'the store did not answer'))
    })
    await expect(writeReport({ output, dataset, set, summary, signal: stop.signal, log })).rejects.toThrow(
      'interrupted',
    )
    expect(await output.head(layout.report(set.id))).toBeUndefined()
  })

  it('includes an object that is larger than any image, which is not fetched', async () => {
    const asked: string[] = []
    const { samples } = await report({ samples: labelled(1) }, ({ dataset }) => ({
      dataset: new Proxy(
        withGet(dataset, (key) => {
          asked.push(key)
          return Promise.resolve(undefined)
        }),
        {
          get: (target, name) =>
            name === 'head'
              ? (key: string) => Promise.resolve({ key, etag: '', sizeBytes: 3 * 2 ** 30 })
              : (Reflect.get(target, name) as unknown),
        },
      ),
    }))
    expect(samples[0]?.notes).toEqual(['image cannot be read now'])
    expect(asked).toEqual([])
  })

  it('is asked for with a signal that any number of requests may listen to', async () => {
    const warnings: string[] = []
    const hear = ({ name }: Error) => void warnings.push(name)
    process.on('warning', hear)
    onTestFinished(() => void process.off('warning', hear))
    await report({ samples: labelled(1) }, ({ dataset }) => ({
      dataset: wrapped(dataset, {
        get: (key, options) => {
          for (let i = 0; i < 20; i++) options?.signal?.addEventListener('abort', () => undefined)
          return dataset.get(key, options)
        },
      }),
    }))
    expect(warnings).not.toContain('MaxListenersExceededWarning')
  })

  it('is raised when it is the table', async () => {
    const refuse = () => Promise.reject(new InputError('access-denied', 'the store refused'))
    const made = report({ samples: labelled(3) }, ({ output }) => ({ output: withGet(output, refuse) }))
    await expect(made).rejects.toThrow('the store refused')
  })
})

it('reads the table of the result set when the run, changing nothing, wrote none', async () => {
  fixture = await makeResultSet({ samples: labelled(3) })
  const { output, dataset, set, summary } = fixture
  const table = await output.get(layout.runTable(set.id, summary.run))
  await output.put(layout.table(set.id), table?.bytes ?? '')
  await output.delete(layout.runTable(set.id, summary.run))
  await writeReport({ output, dataset, set, summary, signal, log })
  expect(Buffer.from((await output.get(layout.report(set.id)))?.bytes ?? []).toString()).toContain('k/0002.png')
})

describe('what the rows amount to', () => {
  const aggregates = () => {
    const aggregator = new Aggregator()
    for (const row of labelledRows({ count: 30 })) aggregator.addRow(row)
    return aggregator.finish()
  }

  it('is shown out of what the run has put beside its table', async () => {
    fixture = await makeResultSet({ samples: labelled(3) })
    const { output, dataset, set, summary } = fixture
    await writeReport({ output, dataset, set, summary, signal, log })
    expect(await page(fixture)).not.toContain('Error over pose')
    await putAggregates(output, set.id, summary.run, aggregates())
    await writeReport({ output, dataset, set, summary, signal, log })
    expect(await page(fixture)).toContain('Images are placed by their labels (30).')
  })

  it.each([layout.aggregates, layout.atlas, layout.inputAtlas])(
    'lacks what is damaged, and the page is written all the same: %o',
    async (keyOf) => {
      fixture = await makeResultSet({ samples: labelled(3) })
      const { output, dataset, set, summary } = fixture
      const key = keyOf(set.id, summary.run)
      await output.put(key, 'damaged')
      const said: string[] = []
      const warning = createLogger('warn', { write: (line) => void said.push(line) })
      await writeReport({ output, dataset, set, summary, signal, log: warning })
      expect(said).toEqual([expect.stringContaining(key)])
      expect(await page(fixture)).not.toContain('Error over pose')
    },
  )

  it('is that of the run that made the state when this one changed nothing', async () => {
    fixture = await makeResultSet({ samples: labelled(3) })
    const { output, dataset, set, summary } = fixture
    await publish(output, set.id, summary.run)
    await putAggregates(output, set.id, summary.run, aggregates())
    const later = { ...summary, run: '20261125T170000Z-000000' }
    await putSummary(output, set.id, summary)
    await putSummary(output, set.id, later)
    await writeReport({ output, dataset, set, summary: later, signal, log })
    expect(await page(fixture)).toContain('Images are placed by their labels (30).')
    expect(await page(fixture)).toContain('The last 2 runs, oldest first.')
  })
})

async function page({ output, set }: Fixture): Promise<string> {
  return Buffer.from((await output.get(layout.report(set.id)))?.bytes ?? []).toString('utf8')
}

function withGet(store: Store, get: Store['get']): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'get') return get
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
