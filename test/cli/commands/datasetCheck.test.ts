import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DatasetCheck } from '../../../src/cli/commands/dataset/checkResult.ts'
import { decodeImage } from '../../../src/image/codec.ts'
import { encodePng } from '../../../src/image/png.ts'
import { headlight, imageFolder, inFolder, networkFile } from '../../support/headlight.ts'

async function check(folder: string, ...args: string[]): Promise<{ code: number | null; result: DatasetCheck }> {
  const sheet = join(folder, '..sheet.png')
  const { code, stdout } = await headlight(['dataset', 'check', folder, '--sheet', sheet, '--json', ...args])
  return { code, result: JSON.parse(stdout) as DatasetCheck }
}

describe('dataset check', () => {
  it('tells counts, ranges and keys, and draws a sheet', () =>
    inFolder(async (folder) => {
      cpSync(imageFolder, folder, { recursive: true })
      writeFileSync(join(folder, 'broken.png'), 'no image')
      writeFileSync(join(folder, 'empty.png'), '')
      const { code, result } = await check(folder, '--adapter', 'filename')
      expect(code).toBe(0)
      expect(result).toMatchObject({
        samples: 6,
        lookedAt: 6,
        read: 4,
        listingFindings: [],
        labels: { n: 4, yaw: { min: -63, max: 32 }, pitch: { min: -12, max: 21 }, roll: { min: -40, max: 17 } },
        boxes: null,
        network: null,
        warnings: [],
      })
      expect(result.findings.map(({ code: fault, count, example }) => [fault, count, example.key])).toEqual([
        ['not-an-image', 1, 'broken.png'],
        ['empty-object', 1, 'empty.png'],
      ])
      expect(result.tiles).toHaveLength(4)
      const sheet = await decodeImage(readFileSync(result.sheet ?? ''), { maxPixels: 1e7, applyExifOrientation: false })
      expect([sheet.width, sheet.height]).toEqual([4 * 164 - 4, 160])
    }))

  it('says it to people, too', () =>
    inFolder(async (folder) => {
      cpSync(imageFolder, folder, { recursive: true })
      const sheet = join(folder, 'out.png')
      const { code, stdout } = await headlight(['dataset', 'check', folder, '--adapter=filename', '--sheet', sheet])
      expect(code).toBe(0)
      expect(stdout).toContain('samples   4\n')
      expect(stdout).toContain('yaw −63.0 to 32.0')
    }))

  it('tells what is left out, and of links that lead nowhere', () =>
    inFolder(async (folder) => {
      cpSync(imageFolder, folder, { recursive: true })
      for (const name of ['a.heic', 'b.heic']) writeFileSync(join(folder, name), 'x')
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from('\xe9.png', 'latin1')]), 'x')
      symlinkSync('nowhere', join(folder, 'link.png'))
      const { result } = await check(folder)
      expect(result).toMatchObject({ samples: 5, read: 4, leftOut: { '.heic': { count: 2 }, name: { count: 1 } } })
      expect(result.listingFindings).toMatchObject([
        { code: 'vanished', example: { key: 'link.png', message: 'It is a link that leads nowhere.' } },
      ])
      const { stdout } = await headlight(['dataset', 'check', folder, '--sheet', join(folder, 'out.png')])
      expect(stdout).toContain(
        'left out  3 files: 2 .heic (such as a.heic), 1 with a name that is not UTF-8 (\ufffd.png)\n',
      )
    }))

  it('warns when names are to hold poses and none does', () =>
    inFolder(async (folder) => {
      cpSync(join(imageFolder, readdirSync(imageFolder)[0] ?? ''), join(folder, 'face.png'))
      const { code, result } = await check(folder, '--adapter', 'filename')
      expect([code, result.labels]).toEqual([0, null])
      expect(result.warnings).toEqual([expect.stringContaining('no name of those looked at holds a pose')])
    }))

  it('warns of an order of angles that no adapter reads', () =>
    inFolder(async (folder) => {
      cpSync(imageFolder, folder, { recursive: true })
      const { result } = await check(folder, '--filename-angles', 'pitch,yaw,roll')
      expect(result.warnings).toEqual([
        '--filename-angles reads no labels with --adapter images; --adapter filename does',
      ])
    }))

  it('says nothing of labels and boxes where nothing can be read', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'index.csv'), 'key\na.png\nb.png\n')
      const args = ['dataset', 'check', folder, '--adapter', 'csv', '--index', join(folder, 'index.csv')]
      const { code, stdout } = await headlight(args)
      expect(code).toBe(2)
      expect(stdout).toContain('read      none: the listing alone shows that all are wrong\n')
      expect(stdout).toContain('wrong     2 of all: vanished')
      expect(stdout).not.toMatch(/labels|boxes|sheet/)
    }))

  it('ranks readings with a network, and says when that tells nothing', () =>
    inFolder(async (folder) => {
      cpSync(imageFolder, folder, { recursive: true })
      const { result } = await check(folder, '--adapter', 'filename', '--network', networkFile)
      expect(result.network?.ranking).toMatchObject({ n: 4, telling: false, better: null })
      expect(result.warnings).toEqual([expect.stringContaining('the ranking says nothing')])
    }))

  it('ranks by the samples that a run’s summary counts: a label beyond ±99° is in no error', () =>
    inFolder(async (folder) => {
      cpSync(imageFolder, folder, { recursive: true })
      const within = await check(folder, '--adapter', 'filename', '--network', networkFile)
      const [name = ''] = readdirSync(imageFolder)
      cpSync(join(imageFolder, name), join(folder, 'TURNED00000009_+150_+1_+17.png'))
      const { result } = await check(folder, '--adapter', 'filename', '--network', networkFile)
      expect(result).toMatchObject({ samples: 5, labels: { n: 5, yaw: { max: 150 } } })
      expect(result.network?.ranking).toEqual(within.result.network?.ranking)
      expect(result.warnings).toContain('1 of the labels lie beyond ±99° and are left out of errors by convention')

      for (const file of readdirSync(imageFolder)) rmSync(join(folder, file))
      const alone = await check(folder, '--adapter', 'filename', '--network', networkFile)
      expect(alone.result.network?.ranking).toBeNull()
      expect(alone.result.warnings).toContainEqual(expect.stringContaining('no sample has a label within ±99°'))
    }))

  it('shows what an index has wrong, over the whole listing', () =>
    inFolder(async (folder) => {
      const png = await encodePng(new Uint8Array(30 * 20 * 3), 30, 20, 3)
      for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.png`), png)
      const rows = ['a.png,1,1,9,9', 'b.png,40,40,50,50', 'c.png,x,1,2,2', 'gone.png,1,1,9,9']
      writeFileSync(join(folder, 'i.csv'), `key,x0,y0,x1,y1\n${rows.join('\n')}\n`)
      const { code, result } = await check(folder, '--adapter', 'csv', '--index', 'i.csv')
      expect(code).toBe(0)
      expect(result).toMatchObject({
        samples: 4,
        lookedAt: 2,
        read: 1,
        labels: null,
        boxes: { n: 1, side: { max: 8 } },
      })
      expect(result.listingFindings.map(({ code: fault }) => fault)).toEqual(['bad-label', 'vanished'])
      expect(result.findings.map(({ code: fault, example }) => [fault, example.key])).toEqual([['bad-label', 'b.png']])
    }))

  it('counts as a run does: a label that cannot be used costs no map', () =>
    inFolder(async (folder) => {
      const png = await encodePng(new Uint8Array(30 * 20 * 3), 30, 20, 3)
      for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(folder, `${name}.png`), png)
      const rows = ['a.png,1,2,3', 'b.png,x,2,3', 'c.png,1,2,', 'd.png,1,2,3', 'd.png,4,5,6']
      writeFileSync(join(folder, 'i.csv'), `key,yaw,pitch,roll\n${rows.join('\n')}\n`)
      const { result } = await check(folder, '--adapter', 'csv', '--index', 'i.csv')
      expect(result).toMatchObject({
        samples: 4,
        lookedAt: 3,
        read: 3,
        tiles: ['a.png', 'b.png', 'c.png'],
        findings: [],
        listingUnusableLabels: { count: 2, example: { key: 'b.png' } },
        listingFindings: [{ code: 'bad-label', count: 1, example: { key: 'd.png' } }],
      })
      expect(result.unusableLabels).toBeUndefined()
      // What a record says of it, too.
      expect(result.listingFindings[0]?.example.message).toContain('--columns face=COLUMN')
      const args = ['dataset', 'check', folder, '--adapter=csv', '--index=i.csv', '--sheet', join(folder, 'o.png')]
      expect((await headlight(args)).stdout).toContain(
        'unusable  2 labels cannot be used and cost no map, for example b.png: Line 3 of the index: yaw is no number; correct it.\n',
      )
    }))

  it('tells the labels of names that cannot be used, of those looked at', () =>
    inFolder(async (folder) => {
      cpSync(imageFolder, folder, { recursive: true })
      cpSync(join(imageFolder, readdirSync(imageFolder)[0] ?? ''), join(folder, 'X00000009_+500_+1_+17.png'))
      const { result } = await check(folder, '--adapter', 'filename')
      expect(result).toMatchObject({ read: 5, findings: [], unusableLabels: { count: 1 } })
    }))

  it('ends with 2 when nothing is what the adapter takes it for', () =>
    inFolder(async (folder) => {
      expect(JSON.stringify((await check(folder)).result)).toContain('empty-dataset')
      mkdirSync(join(folder, 'x'))
      writeFileSync(join(folder, 'x/image00002.jpg'), 'x')
      const { code, result } = await check(folder, '--adapter', 'aflw2000')
      expect([code, result.sheet, result.read]).toEqual([2, null, 0])
    }))
})
