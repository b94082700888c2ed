import { expect, it } from 'vitest'
import { describeAdapter, type AdapterOptions } from '../../src/dataset/adapters.ts'

const plain = { applyExifOrientation: false }
const biwi = { ...plain, name: 'biwi', labels: 'depth', margin: 0.1, boxes: null } as const
const cases: [AdapterOptions, string][] = [
  [{ ...plain, name: 'images', filenameAngles: ['yaw', 'pitch', 'roll'] }, 'images'],
  [biwi, 'biwi (labels of the depth camera, margin 0.1)'],
  [{ ...biwi, labels: 'rgb', margin: null, boxes: 'b.csv' }, 'biwi (labels of the colour camera, boxes of b.csv)'],
  [{ name: 'aflw2000', applyExifOrientation: true, box: 'hopenet' }, 'aflw2000 (box hopenet, turned as EXIF says)'],
  [{ ...plain, name: 'csv', index: 'i.csv', columns: { yaw: 'ry' } }, 'csv (index i.csv, yaw from ry)'],
  [
    { ...plain, name: 'csv', index: 'i.csv', columns: {}, labelSigns: { roll: -1, yaw: -1 } },
    "csv (index i.csv, labels' yaw and roll turned)",
  ],
]

it.each(cases)('%o', (options, text) => {
  expect(describeAdapter(options)).toBe(text)
})
