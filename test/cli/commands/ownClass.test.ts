import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { summarySchema } from '../../../src/output/summary.ts'
import { readTable } from '../../../src/output/table.ts'
import type { ClassScore } from '../../../src/saliency/classScore.ts'
import { readWeights } from '../../../src/saliency/weights/read.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'
import { collected } from '../../support/producerWorld.ts'
import { searchPathWithRedis } from '../../support/redis.ts'
import { tinyBytes } from '../../support/tinyNetwork.ts'
import { tensor, torchZip } from '../../support/writeCheckpoint.ts'

// An ordinary classifier, and images whose classes an index names.

let PATH = ''

beforeAll(async () => {
  PATH = await searchPathWithRedis()
})

const classes = 5

/** The small DenseNet with one output of five classes in place of its angles. */
function classifier(): Buffer {
  const trunk = [...readWeights(tinyBytes, 'tiny_hp.pkl').tensors].filter(([name]) => name.startsWith('features.'))
  const features = 32
  const weights = Array.from({ length: classes * features }, (_, i) => Math.sin(1 + i * 1.7))
  const entries = trunk.map(([name, { shape, data }], i) => [name, tensor(String(i), shape, [...data])] as const)
  return torchZip({
    ...Object.fromEntries(entries),
    'classifier.weight': tensor('w', [classes, features], weights),
    'classifier.bias': tensor('b', [classes], [1, 2, 3, 4, 5]),
  })
}

async function prepared(folder: string, rows: (names: readonly string[]) => string[]) {
  const [dataset, output, network] = ['images', 'out', 'classifier.pkl'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  cpSync(imageFolder, dataset, { recursive: true })
  writeFileSync(network, classifier())
  const names = readdirSync(dataset)
  const index = join(folder, 'index.csv')
  writeFileSync(index, `key,category\n${rows(names).join('\n')}\n`)
  const reading = ['--dataset', dataset, '--network', network, '--adapter', 'csv', '--index', index]
  const own = ['--state-folder', join(folder, 'state'), '--cache-folder', join(folder, 'cache')]
  return { names, output, reading, own: [...own, '--output', output] }
}

interface Explained {
  readonly classes: { readonly top: ClassScore; readonly explained: ClassScore }
}

const labelled = ['--columns', 'class=category', '--objective', 'class:label']

describe('the objective class:label', () => {
  it(
    'explains each image as its own class; one without a class, or with one that there is not, fails',
    () =>
      inFolder(async (folder) => {
        const { names, output, reading, own } = await prepared(folder, ([a, b, c, d]) => [
          `${a},3`,
          `${b},0`,
          `${c},cat`,
          `${d},${classes}`,
        ])
        const [a = '', b = '', c = '', d = ''] = names
        const ended = await startHeadlight(['run', ...reading, ...own, ...labelled, '--json'], { PATH }).ended
        expect(ended.code).toBe(0)
        expect(summarySchema.parse(JSON.parse(ended.stdout))).toMatchObject({ failures: { 'bad-label': 2 } })
        const [set = ''] = readdirSync(output)
        const rows = await collected(readTable(readFileSync(join(output, set, 'angles.parquet'))))
        expect(rows.map((row) => [row.key, row.status, row.class, row.message])).toEqual([
          [a, 'ok', 3, null],
          [b, 'ok', 0, null],
          [c, 'failed', null, expect.stringContaining('the class "cat"')],
          [d, 'failed', null, expect.stringContaining('class 5, which the network does not have')],
        ])

        // The same as its class by number, in a run as by itself.
        const map = (objective: string) => ['--objective', objective, '--map', join(folder, 'map.png')]
        expect((await headlight(['explain', a, ...reading, ...map('class:3')])).code).toBe(0)
        const wanted = readFileSync(join(folder, 'map.png'))
        expect(readFileSync(join(output, set, 'maps/class-label', a)).equals(wanted)).toBe(true)
        const byLabel = ['explain', a, ...reading, '--columns', 'class=category', ...map('class:label')]
        const explained = await headlight([...byLabel, '--json'])
        const { classes: told, ...more } = JSON.parse(explained.stdout) as Explained
        expect(more).toMatchObject({ objective: 'class:label', class: 3 })
        expect(told.explained.class).toBe(3)
        expect(rows[0]?.['topClass']).toBe(told.top.class)
        expect(rows[0]?.['topClassProbability']).toBeCloseTo(told.top.probability, 5)
        expect(readFileSync(join(folder, 'map.png')).equals(wanted)).toBe(true)
      }),
    120_000,
  )

  it('is refused without a column of classes, before anything is written', () =>
    inFolder(async (folder) => {
      const { output, reading, own } = await prepared(folder, ([a]) => [`${a},3`])
      const refused = await headlight(['run', ...reading, ...own, '--objective', 'class:label'])
      expect(refused).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toContain('--adapter csv --index FILE --columns class=COLUMN')
      expect(() => readdirSync(output)).toThrow('ENOENT')
    }))

  it('of an image without a class is refused by explain, which says what to do', () =>
    inFolder(async (folder) => {
      const { names, reading } = await prepared(folder, ([a]) => [`${a},`])
      const [a = ''] = names
      const refused = await headlight(['explain', a, ...reading, ...labelled])
      expect(refused).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toContain('--objective class:N')
      const plain = await headlight([
        'explain',
        join(imageFolder, a),
        '--network',
        networkFile,
        '--objective=class:label',
      ])
      expect(plain.stderr).toContain('it has no output of classes')
    }))
})

describe('explain of a classifier', () => {
  it('prints the likeliest class with its score in place of angles, and the one that is explained', () =>
    inFolder(async (folder) => {
      const { names, reading } = await prepared(folder, ([a]) => [`${a},3`])
      const explained = async (objective: string, ...more: string[]) =>
        await headlight(['explain', names[0] ?? '', ...reading, '--objective', objective, '--no-overlay', ...more])
      const { top } = (JSON.parse((await explained('class:top', '--json')).stdout) as Explained).classes
      const score = ({ probability, logit }: ClassScore) =>
        `${probability.toFixed(4).padStart(13)}${logit.toFixed(2).padStart(10)}`
      const { stdout } = await explained('class:top')
      expect(stdout).toMatch(/^ {9} {3}class  probability     logit\n/)
      expect(stdout).toContain(`\nclass:top       ${top.class}${score(top)}\nbox `)
      expect(stdout).not.toMatch(/yaw|degrees/)

      const other = (top.class + 1) % classes
      const answer = (JSON.parse((await explained(`class:${other}`, '--json')).stdout) as Explained).classes
      expect(answer.top).toEqual(top)
      expect(answer.explained).toMatchObject({ class: other })
      expect(answer.explained.probability).toBeLessThan(top.probability)
      expect((await explained(`class:${other}`)).stdout).toContain(
        `\nclass:${other}         ${other}${score(answer.explained)}\n`,
      )
    }))

  it('tells the likeliest class alone where a plain output is explained', () =>
    inFolder(async (folder) => {
      const { names, reading } = await prepared(folder, ([a]) => [`${a},3`])
      const call = ['explain', names[0] ?? '', ...reading, '--objective', 'output:1', '--no-overlay', '--json']
      expect(JSON.parse((await headlight(call)).stdout)).toMatchObject({
        classes: { top: { class: expect.any(Number) as number } },
      })
    }))
})
