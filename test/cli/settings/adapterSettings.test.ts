import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { adapterOptions, idleSetting } from '../../../src/cli/settings/adapterSettings.ts'
import { settingsSchema } from '../../../src/cli/settings/optionSchema.ts'
import { adapterOptionsSchema } from '../../../src/dataset/adapters.ts'

const options = (settings: Record<string, unknown>) => {
  const made = adapterOptions(settingsSchema.parse(settings))
  // What set.json holds must be read back by workers.
  expect(adapterOptionsSchema.parse(JSON.parse(JSON.stringify(made)))).toEqual(made)
  return made
}

it('give images and filename what they always had: their result sets keep their folders', () => {
  const filenameAngles = ['yaw', 'pitch', 'roll']
  expect(options({})).toStrictEqual({ name: 'images', filenameAngles, applyExifOrientation: false })
  expect(options({ adapter: 'filename', margin: 0.1, box: 'hopenet', biwiLabels: 'depth' })).toStrictEqual({
    name: 'filename',
    filenameAngles,
    applyExifOrientation: false,
  })
  expect(options({ glob: 'a/*' })).toMatchObject({ glob: 'a/*' })
})

it('give each adapter its own, and no more', () => {
  const common = { applyExifOrientation: false }
  expect(options({ adapter: 'biwi', biwiLabels: 'rgb' })).toStrictEqual({
    ...common,
    name: 'biwi',
    labels: 'rgb',
    margin: 0.1,
    boxes: null,
  })
  expect(options({ adapter: 'biwi', boxes: 'b.csv' })).toMatchObject({ margin: null, boxes: 'b.csv' })
  expect(options({ adapter: 'aflw2000' })).toStrictEqual({ ...common, name: 'aflw2000', box: 'hopenet' })
  expect(options({ adapter: 'csv', index: 'i.csv', columns: ['key=a b,yaw=x=y', 'frame=n'] })).toStrictEqual({
    ...common,
    name: 'csv',
    index: 'i.csv',
    columns: { key: 'a b', yaw: 'x=y', frame: 'n' },
  })
})

it.each([
  ['labels/i.csv', 'labels/i.csv'],
  ['s3://other/i.csv', 's3://other/i.csv'],
  ['./i.csv', pathToFileURL(resolve('i.csv')).href],
  ['../a b/i.csv', pathToFileURL(resolve('../a b/i.csv')).href],
  ['/data/i.csv', 'file:///data/i.csv'],
])('take the index %s as %s', (index, location) => {
  expect(options({ adapter: 'csv', index })).toMatchObject({ index: location })
})

it.each([
  [{ adapter: 'csv' }, '--adapter csv needs --index FILE'],
  [{ index: 'i.csv' }, '--index belongs to --adapter csv, not to images'],
  [{ adapter: 'aflw2000', boxes: 'b.csv' }, '--boxes belongs to --adapter biwi, not to aflw2000'],
  [{ adapter: 'biwi', glob: '*' }, '--glob belongs to --adapter images or filename, not to biwi'],
  [{ margin: 0.5 }, '--margin belongs to --adapter biwi, not to images'],
  [{ adapter: 'csv', index: 'i', box: 'hopenet-literal' }, '--box belongs to --adapter aflw2000, not to csv'],
  [{ adapter: 'aflw2000', biwiLabels: 'rgb' }, '--biwi-labels belongs to --adapter biwi, not to aflw2000'],
  [
    { adapter: 'biwi', filenameAngles: 'pitch,yaw,roll' },
    '--filename-angles belongs to --adapter images or filename, not to biwi',
  ],
  [{ adapter: 'biwi', margin: 0.5, boxes: 'b.csv' }, '--margin widens the computed boxes, which --boxes replaces'],
  [{ adapter: 'csv', index: 'i', columns: 'key' }, 'not "key"'],
  [{ adapter: 'csv', index: 'i', columns: 'pich=x' }, 'did you mean pitch?'],
])('refuse %o', (settings, message) => {
  expect(() => options(settings)).toThrow(message)
})

it('warn of file names that images does not read, without another folder for its result sets', () => {
  const settings = settingsSchema.parse({ filenameAngles: 'pitch,yaw,roll' })
  expect(adapterOptions(settings)).toMatchObject({ name: 'images', filenameAngles: ['pitch', 'yaw', 'roll'] })
  expect(idleSetting(settings)).toContain('--adapter filename does')
  expect(idleSetting({ ...settings, adapter: 'filename' })).toBeUndefined()
  expect(idleSetting(settingsSchema.parse({}))).toBeUndefined()
})
