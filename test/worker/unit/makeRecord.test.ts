import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ManifestEntry } from '../../../src/output/manifest.ts'
import { recordSchema } from '../../../src/output/record.ts'
import { recordLines } from '../../../src/output/recordFile.ts'
import { okRecord, shortest } from '../../../src/worker/unit/makeRecord.ts'
import { description, resultSet } from '../../support/shard.ts'

test('numbers are the shortest decimals of their float32', () => {
  expect(shortest(Math.fround(12.3))).toBe(12.3)
  expect(shortest(Math.fround(1e-20))).toBe(1e-20)
  expect(Object.is(shortest(-0), 0)).toBe(true)
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Math.fround(shortest(value)) === value).toBe(true)
      expect(String(shortest(value)).replace(/e.*|[-.]/g, '').length).toBeLessThanOrEqual(22)
    }),
  )
})

const entry: ManifestEntry = { key: 'a.png', etag: 'e', sizeBytes: 1, fingerprint: 'f00', companions: [] }
const shown = {
  map: new Uint8Array(),
  gradient: null,
  mean: Math.fround(0.1),
  std: Math.fround(0.2),
  maxAbs: Math.fround(0.7),
  magnitude: new Float32Array(784),
}
const explanation = {
  angles: { yaw: Math.fround(175.3), pitch: Math.fround(-4.7), roll: null },
  outputs: { yaw: Float32Array.of(0, 3, 0), pitch: Float32Array.of(-4.7) },
  objectives: { sum: shown, '-yaw': shown },
}
const view = { imageWidth: 640, imageHeight: 480, crop: [80, 0, 560, 480] as const }
const truth = { pose: { yaw: -179, pitch: 2, roll: 1 }, box: null, subject: null, sequence: null, frame: '0001' }

test('a record is one line with the keys in the schema’s order', () => {
  const record = okRecord(entry, truth, view, explanation, description, resultSet('file:///d/').options)
  expect(recordLines([record])).toBe(
    '{"key":"a.png","fingerprint":"f00","status":"ok","angles":{"yaw":175.3,"pitch":-4.7,"roll":null},' +
      '"label":{"yaw":-179,"pitch":2,"roll":1},"error":{"yaw":-5.7,"pitch":-6.7,"roll":null},' +
      '"bins":{"yaw":{"topBin":1,"topProbability":0.909443,"binsStd":0.9027807,"binsEntropy":0.36659396},' +
      '"pitch":null,"roll":null},"imageWidth":640,"imageHeight":480,"crop":[80,0,560,480],' +
      '"subject":null,"sequence":null,"frame":"0001","objectives":{' +
      '"sum":{"map":"maps/sum/a.png","gradient":null,"gradientMean":0.1,"gradientStd":0.2,"gradientMaxAbs":0.7},' +
      '"-yaw":{"map":"maps/-yaw/a.png","gradient":null,"gradientMean":0.1,"gradientStd":0.2,"gradientMaxAbs":0.7}}}\n',
  )
  expect(recordSchema.parse(JSON.parse(recordLines([record])))).toEqual(record)
})

test('logits are written only when asked for, and label and error only where there is one', () => {
  const options = { ...resultSet('file:///d/').options, logits: true }
  const record = okRecord(entry, { ...truth, pose: null }, view, explanation, description, options)
  expect(record).toMatchObject({ label: null, error: null, logits: { yaw: [0, 3, 0], pitch: [-4.7] } })
})

test('an output of several angles has its numbers under its own name, and bins are those of its part', () => {
  const bins = (angle: 'yaw' | 'roll', start: number) =>
    ({ kind: 'binned', output: 'all', angle, bins: 3, step: 3, offset: -3, sign: 1, start }) as const
  const options = { ...resultSet('file:///d/').options, logits: true }
  const outputs = { all: Float32Array.of(9, 0, 0, 0, 0, 7) }
  const heads = [bins('yaw', 3), bins('roll', 0)]
  const record = okRecord(entry, truth, view, { ...explanation, outputs }, { ...description, heads }, options)
  expect(record.logits).toEqual({ all: [9, 0, 0, 0, 0, 7] })
  expect([record.bins.yaw?.topBin, record.bins.pitch, record.bins.roll?.topBin]).toEqual([2, null, 0])
})

test('a rotation says nothing of bins', () => {
  const rotation = { kind: 'rotation6d', output: 'linear_reg', euler: 'zyx' } as const
  const outputs = { linear_reg: new Float32Array(6) }
  const options = { ...resultSet('file:///d/').options, logits: true }
  const { bins, logits } = okRecord(
    entry,
    truth,
    view,
    { ...explanation, outputs },
    { ...description, heads: [rotation] },
    options,
  )
  expect([bins, logits]).toEqual([{ yaw: null, pitch: null, roll: null }, { linear_reg: [0, 0, 0, 0, 0, 0] }])
})
