import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { layout } from '../../src/output/layout.ts'
import { escapeHtml, jsonForScript } from '../../src/report/escaping.ts'
import { signedHundredth } from '../../src/report/numberText.ts'
import { factsSection } from '../../src/report/pageFacts.ts'
import { writeReport } from '../../src/report/writeReport.ts'
import { descriptionSchema, type InputDescription } from '../../src/saliency/networks/description.ts'
import { browser } from '../support/browser.ts'
import { makeResultSet, type Fixture } from '../support/reportFixture.ts'

/** Keys and messages as somebody might craft them; each would put `owned` into the document's title when it ran. */
const attack = `document.title='owned'`
const hostileKeys = [
  `<img src=x onerror=${attack}>.png`,
  `a</script><script>${attack}</script>.png`,
  `<!--<script>.png`,
  `"'&quot;\u2028.png`,
  `javascript:${attack}.png`,
]
const hostileMessage = `<img src=x onerror=${attack}> & "more"`

let fixture: Fixture
let html: string

beforeAll(async () => {
  fixture = await makeResultSet({
    samples: [
      ...hostileKeys.map((key, i) => ({ key, estimate: [i, 2, 3] as const, label: [0, 0, 0] as const })),
      { key: `${hostileKeys[0] ?? ''}.jpg`, failed: { code: 'not-an-image', message: hostileMessage } },
    ],
    objectives: ['yaw', 'pitch'],
    networkFile: `<b onclick=${attack}>.pkl`,
    mapCorrelations: { 'yaw~pitch': 0.934 },
  })
  const { output, dataset, set, summary } = fixture
  const { signal } = new AbortController()
  await writeReport({ output, dataset, set, summary, signal, log: createLogger('silent') })
  html = Buffer.from((await output.get(layout.report(set.id)))?.bytes ?? []).toString('utf8')
})

afterAll(() => fixture.remove())

describe('the page', () => {
  it('asks nothing of the network and lets only its own script run', () => {
    expect(html).not.toMatch(/(?:src|href)="?(?:https?:)?\/\//)
    expect(html).not.toMatch(/url\(|@import/)
    expect(html).toMatch(/content="default-src 'none'; img-src data:; style-src 'sha256-[^"]*; script-src 'sha256-/)
  })

  it('holds no markup that came from data', () => {
    expect(html).not.toContain('<img src=x')
    expect(html).not.toContain('<b onclick')
    expect(html.match(/<script/g)).toHaveLength(2)
    expect(html).toContain('&lt;img src=x onerror=document.title=&#39;owned&#39;&gt; &amp; &quot;more&quot;')
  })

  it('tells what of an image the network was shown, and how', () => {
    const { set, summary } = fixture
    const { input, heads } = descriptionSchema.parse(set.network.description)
    const textOf = (changes: Partial<InputDescription>): string | undefined => {
      const description = { heads, input: { ...input, ...changes } }
      const facts = factsSection({ ...set, network: { ...set.network, description } }, summary)
      return /<dt>input<\/dt><dd>(.*?)<\/dd>/.exec(facts)?.[1]
    }
    const size = `${input.width} × ${input.height}`
    expect(textOf({})).toBe(`${size}, shorter side to the size, then the centre is cut out, RGB`)
    expect(
      textOf({ resize: 'letterbox', filter: 'opencv', channels: 'gray', normalise: 'min-max', mean: [0], std: [1] }),
    ).toBe(
      `${size}, the whole of it, as large as fits, on black (OpenCV&#39;s filter), gray, from its darkest number to its brightest`,
    )
  })

  it('tells counts, errors with how they came about, failures with examples, the network and the correlations', () => {
    for (const text of [
      'mean absolute error',
      'Over n = 5 images',
      'Mean geodesic error',
      `<th scope="row">bias</th><td class="number">${signedHundredth(fixture.summary.bias?.yaw ?? 0)}°</td>`,
      '<code>not-an-image</code>',
      'the bytes are of no image format',
      '9f'.repeat(32),
      'yaw: 61 bins × 3° − 90° (fc_yaw)',
      'onnxruntime:cpu',
      '0.93</td>',
      'near-copies',
      '<span>weak</span><i></i><span>strong</span>',
      'linear-gradient(to right, rgb(0 0 4), ',
      'docs/limits.md',
    ]) {
      expect(html).toContain(text)
    }
  })
})

it('writes signed figures with their sign, and none where they round to zero', () => {
  expect([0.254, -1.5, 0.004, -0.004, 0].map(signedHundredth)).toEqual(['+0.25', '-1.50', '0.00', '0.00', '0.00'])
})

it('escapes text for HTML and for the inside of a script', () => {
  expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;')
  const value = { text: '</script><!-- \u2028' }
  expect(jsonForScript(value)).not.toContain('<')
  expect(JSON.parse(jsonForScript(value))).toEqual(value)
})

describe.skipIf(browser === undefined)('in a browser', () => {
  it('draws the gallery, keys as text, and nothing crafted has run', async () => {
    const dom = await drawn(fixture)
    expect(dom.match(/<li class="card">/g)).toHaveLength(hostileKeys.length)
    expect(dom).toContain('<p class="key">&lt;img src=x onerror=')
    expect(dom).toContain('page 1 of 1')
    // Largest mean error first.
    expect(dom.indexOf('<p class="key">javascript:')).toBeLessThan(dom.indexOf('<p class="key">a&lt;/script&gt;'))
    expect(dom).not.toContain('<title>owned')
    expect(dom).not.toContain('<p class="answer">')
  })

  it('shows the class in place of angles where there is one', async () => {
    const samples = [{ key: 'dog.png', top: [238, 0.9312] as const }]
    const classified = await makeResultSet({ samples, objectives: ['class:top'] })
    try {
      const { output, dataset, set, summary } = classified
      await writeReport({
        output,
        dataset,
        set,
        summary,
        signal: new AbortController().signal,
        log: createLogger('silent'),
      })
      const dom = await drawn(classified)
      expect(dom).toContain('<p class="key">dog.png</p><p class="answer">top class 238, 0.93</p>')
      expect(dom).not.toContain('<table class="angles">')
    } finally {
      await classified.remove()
    }
  })
})

/** What a browser makes of a result set's report. */
async function drawn({ output, set }: Fixture): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'headlight-browser-'))
  const file = join(fileURLToPath(output.uri), layout.report(set.id))
  const flags =
    '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --dump-dom'
  const run = promisify(execFile)
  try {
    const { stdout } = await run(
      browser ?? '',
      [...flags.split(' '), `--user-data-dir=${profile}`, pathToFileURL(file).href],
      { maxBuffer: 1 << 26 },
    )
    return stdout
  } finally {
    await rm(profile, { recursive: true, force: true })
  }
}
