import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boxOf } from '../../../src/cli/commands/explain/boxOption.ts'
import { explainCommand as explain } from '../../../src/cli/commands/explain/explain.ts'
import { adapterOptions } from '../../../src/cli/settings/adapterSettings.ts'
import { addSettings, settingsOf } from '../../../src/cli/settings/commandFlags.ts'
import type { AdapterOptions } from '../../../src/dataset/adapters.ts'
import type { ResultSet } from '../../../src/output/resultSet.ts'
import { explainCommand } from '../../../src/serve/pictures/explainCommand.ts'
import { resultSetOf } from '../../support/comparedOutput.ts'
import { surroundingsOf } from '../../support/surroundings.ts'

const made = resultSetOf({ dataset: 'file:///home/me/my%20heads/' })

function setWith(options: Partial<ResultSet['options']>, dataset: Partial<ResultSet['dataset']> = {}): ResultSet {
  return { ...made, dataset: { ...made.dataset, ...dataset }, options: { ...made.options, ...options } }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-explain-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What a shell makes of a command line, and the command line of headlight of that. */
async function understood(line: string) {
  const script = `headlight() { printf '%s\\0' "$@"; }; ${line}`
  const printed = execFileSync('sh', ['-c', script], { cwd: folder }).toString()
  const [name, ...words] = printed.split('\0').slice(0, -1)
  expect(name).toBe('explain')
  const command = new Command('explain').exitOverride()
  explain.extend?.(command)
  addSettings(command, explain.settings, explain.wording)
  await command.parseAsync(words, { from: 'user' })
  const { settings } = boxOf(command.opts(), await settingsOf(command, surroundingsOf({})))
  return { operands: command.args, settings, adapter: adapterOptions(settings) }
}

describe('the command that explains an image', () => {
  const common = { applyExifOrientation: false } as const
  it.each<AdapterOptions>([
    { ...common, name: 'images', filenameAngles: ['pitch', 'yaw', 'roll'] },
    { name: 'images', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: true, glob: "it's/**/*.png" },
    { ...common, name: 'filename', filenameAngles: ['yaw', 'pitch', 'roll'], labelSigns: { yaw: -1, roll: -1 } },
    { ...common, name: 'biwi', labels: 'rgb', margin: 0.25, boxes: null },
    { ...common, name: 'biwi', labels: 'depth', margin: null, boxes: 's3://lists/boxes of $HOME.csv' },
    { ...common, name: 'aflw2000', box: 'hopenet-literal', labelSigns: { pitch: -1 } },
    { ...common, name: 'csv', index: 'file:///lists/a%20b.csv', columns: { key: 'a b', face: 'x=y', yaw: '"ry"' } },
    { ...common, name: 'csv', index: 'index.jsonl', columns: {} },
  ])('has the dataset read as it was: %j', async (adapter) => {
    const { adapter: read } = await understood(explainCommand('file:///out/', setWith({ adapter }), 'a.png', 'yaw'))
    expect(read).toEqual(adapter)
  })

  it.each([
    '-x.png',
    '--objective=roll',
    '<img src=x onerror="a()">/a.png',
    '"quoted" \'keys\' `touch x` $(touch x) ${HOME} !! \\.png',
    'two\nlines; rm -rf *.png',
    'rtl \u202egnp.exe/\u05e2\u05d1\u05e8\u05d9\u05ea.png',
    'a.png#2',
    '~/#?%25.png',
  ])('names the image as it is called: %j', async (key) => {
    const { operands } = await understood(explainCommand('file:///out/', setWith({}), key, 'yaw'))
    expect(operands).toEqual([`/home/me/my heads/${key}`])
  })

  it('says how the map was made, and where network and dataset lie', async () => {
    const set = setWith(
      { scope: 'stem', style: 'magnitude', relu6: 'plain', maxPixels: 7 },
      { uri: 's3://heads/in/', endpoint: 'http://127.0.0.1:9000' },
    )
    const { operands, settings } = await understood(explainCommand('s3://maps/out/', set, 'a.png', '-yaw'))
    expect(operands).toEqual(['s3://heads/in/a.png'])
    expect(settings).toMatchObject({
      dataset: 's3://heads/in/',
      s3Endpoint: 'http://127.0.0.1:9000',
      network: `s3://maps/out/${set.id}/network/model.pkl`,
      objective: '-yaw',
      scope: 'stem',
      style: 'magnitude',
      relu6: 'plain',
      maxPixels: 7,
    })
  })

  it('writes down what the network expects and means, which another computer might assume otherwise', async () => {
    const description = { ...(made.network.description as object), heads: [{ output: "it's $HOME", bins: 61 }] }
    const set = { ...made, network: { ...made.network, description } }
    const { settings } = await understood(explainCommand('file:///out/', set, 'a.png', 'yaw'))
    const file = await readFile(join(folder, settings.description ?? ''), 'utf8')
    expect(JSON.parse(file)).toEqual(description)
  })
})
