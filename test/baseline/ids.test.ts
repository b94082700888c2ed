import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { adapterOptions } from '../../src/cli/settings/adapterSettings.ts'
import { resolveSettings } from '../../src/cli/settings/resolveSettings.ts'
import { resultOptions } from '../../src/cli/settings/resultSetChoices.ts'
import { resultSetId, resultVersion } from '../../src/output/resultSet.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { frozen, frozenCases } from '../support/frozen.ts'

// A result set's id is a digest of everything that changes its results. An id that changes leaves all that was computed
// behind: the next run computes the whole dataset again, into another folder.

const bytes = readFileSync(new URL('../checkpoints/tiny_hp.pkl', import.meta.url))

/** The id, and what it is a digest of besides the network's bytes, as `run` and `produce` make it of these flags. */
function resultSet(flags: Readonly<Record<string, unknown>>, override?: unknown, uri = 's3://heads/images/') {
  const network = loadNetwork(bytes, 'tiny_hp.pkl', override)
  const options = resultOptions(resolveSettings({ environment: {}, flags }))
  const set = {
    resultVersion,
    dataset: { uri, endpoint: null },
    network: { file: network.file, digest: network.digest, description: network.description },
    options,
  }
  return { id: resultSetId(set), options, description: network.description }
}

const flagCases: Record<string, Readonly<Record<string, unknown>>> = {
  'the defaults': {},
  'an objective per angle': { objective: 'each' },
  'several objectives': { objective: ['sum', '-yaw', 'yaw:bin:3'] },
  'the scope stem': { scope: 'stem' },
  'the scope none': { scope: 'none' },
  'the style magnitude': { style: 'magnitude' },
  'gradients in float16': { gradients: 'float16' },
  'gradients in float32': { gradients: 'float32' },
  logits: { logits: true },
  'fewer pixels': { maxPixels: '1000000' },
  'EXIF orientation': { exifOrientation: true },
  'images of a glob': { glob: 'a/**/*.png' },
  filename: { adapter: 'filename' },
  'filename in another order': { adapter: 'filename', filenameAngles: 'pitch,yaw,roll', glob: '*.jpg' },
  biwi: { adapter: 'biwi' },
  'biwi with margin and the picture’s labels': { adapter: 'biwi', margin: '0.25', biwiLabels: 'rgb' },
  'biwi with boxes': { adapter: 'biwi', boxes: 'boxes.csv' },
  aflw2000: { adapter: 'aflw2000' },
  'aflw2000 with the published boxes': { adapter: 'aflw2000', box: 'hopenet-literal' },
  csv: { adapter: 'csv', index: 'labels.csv' },
  'csv with columns': { adapter: 'csv', index: 'labels.csv', columns: 'key=image,yaw=ry,pitch=rx,roll=rz' },
  'csv with faces': { adapter: 'csv', index: 'labels.csv', columns: 'face=person' },
  'csv with classes': { adapter: 'csv', index: 'labels.csv', columns: 'class=category' },
  'each image’s own class': {
    adapter: 'csv',
    index: 'labels.csv',
    columns: 'class=category',
    objective: 'class:label',
  },
  'plain ReLU6': { relu6: 'plain' },
  'labels with other signs': { adapter: 'aflw2000', labelSigns: 'roll=-1,yaw=-1' },
}

test.each(Object.entries(flagCases))('%s give the same result set as ever', (name, flags) => {
  expect(resultSet(flags)).toEqual(frozen('ids.json', name, resultSet(flags)))
})

test('a path to an index enters as the URI that it means everywhere', () => {
  const given = (index: string) =>
    adapterOptions(resolveSettings({ environment: {}, flags: { adapter: 'csv', index } }))
  expect(given('/data/labels.csv')).toMatchObject({ index: 'file:///data/labels.csv' })
})

const overrides: Record<string, unknown> = {
  'another input': { input: { width: 96, height: 80, resize: 'stretch', channels: 'bgr', range: 255 } },
  'another normalisation': { input: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } },
  'another step and sign': { heads: [{ angle: 'yaw', step: 2, offset: -65, sign: -1 }] },
}

test.each(Object.entries(overrides))('a description with %s gives the same result set as ever', (name, override) => {
  expect(resultSet({}, override)).toEqual(frozen('ids.json', name, resultSet({}, override)))
})

test('the dataset’s URI decides, its endpoint does not', () => {
  const folder = resultSet({}, undefined, 'file:///data/heads/')
  expect(folder.id).toBe(frozen('ids.json', 'a folder', folder.id))
})

test('no case has been dropped', () => {
  const compared = [...Object.keys(flagCases), ...Object.keys(overrides), 'a folder']
  expect(compared).toEqual(expect.arrayContaining(Object.keys(frozenCases('ids.json'))))
})
