import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { summarySchema } from '../../../src/output/summary.ts'
import { readTable } from '../../../src/output/table.ts'
import { imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'
import { collected } from '../../support/producerWorld.ts'
import { searchPathWithRedis } from '../../support/redis.ts'

let PATH = ''

beforeAll(async () => {
  PATH = await searchPathWithRedis()
})

it(
  'an index that is nearly right: what is meant is computed, and what is not is said',
  () =>
    inFolder(async (folder) => {
      const dataset = join(folder, 'images')
      const output = join(folder, 'out')
      cpSync(imageFolder, dataset, { recursive: true })
      const [a = '', b = '', c = ''] = readdirSync(dataset)
      const rows = [
        `.\\${a},1, 0.17,0.5,0,0,0,10,10,good`,
        `${join(dataset, a)},2,0.02,x,0,0,0,20,20,bad`,
        `./${b},1,0.4,0,0,5,5,5,5,bad`,
        `/elsewhere/${c},1,,,,,,,,bad`,
      ]
      writeFileSync(join(folder, 'i.csv'), `Image, Person, Yaw, Pitch, Roll,x0,y0,x1,y1,quality\n${rows.join('\n')}\n`)
      const call = ['run', '--dataset', dataset, '--output', output, '--network', networkFile, '--adapter', 'csv']
      const reading = [
        '--index',
        join(folder, 'i.csv'),
        '--columns',
        'key=image,face=person',
        '--label-signs',
        'yaw=-1',
      ]
      const own = ['--state-folder', join(folder, 'state'), '--cache-folder', join(folder, 'cache')]
      const ended = await startHeadlight([...call, ...reading, ...own, '--json'], { PATH }).ended
      expect(ended.code).toBe(0)
      expect(ended.stderr).toContain('nothing is read from "quality" of the index')
      expect(ended.stderr).toContain('are they radians?')
      const summary = summarySchema.parse(JSON.parse(ended.stdout))
      expect(summary).toMatchObject({ unusableLabels: 1, failures: { 'bad-label': 1, 'bad-key': 1 } })
      const [set = ''] = readdirSync(output)
      const table = await collected(readTable(readFileSync(join(output, set, 'angles.parquet'))))
      expect(
        table.map(({ key, status, labelYaw, cropX1, message }) => [key, status, labelYaw, cropX1, message]),
      ).toEqual([
        [`/elsewhere/${c}#1`, 'failed', null, null, expect.stringContaining('does not lie below')],
        [`${a}#1`, 'ok', -0.17, 10, null],
        [`${a}#2`, 'ok', null, 20, 'Line 3 of the index: pitch is no number; correct it.'],
        [`${b}#1`, 'failed', null, null, 'Line 4 of the index: its box is empty; correct it.'],
      ])
      expect(readdirSync(join(output, set, 'maps/sum'))).toEqual([`${a}#1.png`, `${a}#2.png`])
    }),
  120_000,
)
