import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { openAdapter, type AdapterOptions } from '../../src/dataset/adapters.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest } from '../../src/output/manifest.ts'
import { enumerate } from '../../src/producer/enumerate.ts'
import { openStore } from '../../src/storage/open.ts'
import { frozen, frozenCases } from '../support/frozen.ts'
import { matFile } from '../support/matFile.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'

// A sample whose fingerprint changes counts as changed and is computed again. What an adapter says of a sample is frozen
// with it: the truth that a manifest carries enters the fingerprint, a field of null as much as any other.

const identity = '1 0 0 \n0 1 0 \n0 0 1 \n'
const calibration = `500 0 320 \n0 500 240 \n0 0 1 \n\n0 0 0 0 0 \n\n${identity}\n10 20 30 \n\n640 480 \n`
const landmarks = [200, 100, 300, 120, 250, 150, -1, 400]
const mat = matFile(
  { Pose_Para: { rows: 1, values: [0.1, -0.5, 0.25, 1, 2, 3, 4e-4] }, pt2d: { rows: 2, values: landmarks } },
  // Not packed: what zlib makes of it is not ours to hold, and the ETag here is a digest of the bytes.
  { packed: false },
)

const contents = {
  'a.png': 'a',
  'a.png/below.png': 'its map would be a folder where the map of a.png lies',
  'faces/BIWI00000001_-17_+1_+17.png': 'b',
  'faces/plain.JPG': 'c',
  'faces/über/\u{1F600}.webp': 'd',
  'hpdb/01/frame_00003_rgb.png': 'e',
  'hpdb/01/frame_00003_pose.txt': `${identity}\n100 -50 1000 \n`,
  'hpdb/01/frame_00004_rgb.png': 'no pose beside it',
  'hpdb/01/rgb.cal': calibration,
  'image00002.jpg': 'f',
  'image00002.mat': mat,
  'tail\\backslash.png': 'a key that cannot be laid out',
  'boxes.csv': 'key,x0,y0,x1,y1\nhpdb/01/frame_00003_rgb.png,1,2,30,40.5\nhpdb/01/gone.png,1,2,3,4\n',
  'labels.csv':
    'key,yaw,pitch,roll,x0,y0,x1,y1,subject,sequence,frame\n' +
    'a.png,1,-2.5,3,10,20,30.5,40,Anna,s1,7\nfaces/plain.JPG,,,,,,,,,,\nvanished.png,1,2,3,,,,,,,\nimage00002.jpg,1,x,3,,,,,,,\n',
  'faces.csv':
    'key,person, Yaw,Pitch,Roll,x0,y0,x1,y1\n' +
    'a.png,left,1,-2.5,200,10,20,30.5,40\na.png,Anna B.,x,2,3,1,2,3,4\nvanished.png,1,,,,4,4,4,4\na.png,2,1,2,3,,,,\na.png,2,1,2,4,,,,\n',
  'classes.csv': 'key,category\na.png,3\nfaces/plain.JPG,cat\nimage00002.jpg,\nvanished.png,0\n',
  'labels.jsonl': '{"key":"a.png","yaw":1,"pitch":2,"roll":3}\n{"key":"faces/plain.JPG","subject":"Ben"}\n',
}

const applyExifOrientation = false
const filenameAngles: ['yaw', 'pitch', 'roll'] = ['yaw', 'pitch', 'roll']
const cases: Record<string, AdapterOptions> = {
  images: { name: 'images', filenameAngles, applyExifOrientation },
  'images of a glob': { name: 'images', filenameAngles, applyExifOrientation, glob: 'faces/**' },
  filename: { name: 'filename', filenameAngles, applyExifOrientation },
  biwi: { name: 'biwi', applyExifOrientation, labels: 'depth', margin: 0, boxes: null },
  'biwi in the picture’s axes': { name: 'biwi', applyExifOrientation, labels: 'rgb', margin: 0.25, boxes: null },
  'biwi with boxes': { name: 'biwi', applyExifOrientation, labels: 'depth', margin: null, boxes: 'boxes.csv' },
  aflw2000: { name: 'aflw2000', applyExifOrientation, box: 'hopenet' },
  'aflw2000 with the published boxes': { name: 'aflw2000', applyExifOrientation, box: 'hopenet-literal' },
  csv: { name: 'csv', applyExifOrientation, index: 'labels.csv', columns: {} },
  'csv with columns': { name: 'csv', applyExifOrientation, index: 'labels.csv', columns: { subject: 'frame' } },
  'csv with faces': { name: 'csv', applyExifOrientation, index: 'faces.csv', columns: { face: 'person' } },
  'csv with classes': { name: 'csv', applyExifOrientation, index: 'classes.csv', columns: { class: 'category' } },
  'csv as JSON Lines': { name: 'csv', applyExifOrientation, index: 'labels.jsonl', columns: {} },
}

/** The manifest part that a first run over the dataset writes, line by line. */
async function manifestLines(options: AdapterOptions): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'headlight-baseline-'))
  const output = openStore(folder)
  try {
    await enumerate({
      dataset: memoryStore(contents),
      adapter: openAdapter(options),
      manifest: new Manifest(output, 'set', 'run'),
      state: noState(),
      full: false,
      shardSize: null,
      signal: new AbortController().signal,
      onPart: async () => {},
      onListed: () => {},
    })
    const part = gunzipSync(readFileSync(join(folder, layout.manifestPart('set', 'run', 0))))
    const done = readFileSync(join(folder, layout.manifestDone('set', 'run')), 'utf8')
    return [...part.toString('utf8').trimEnd().split('\n'), done]
  } finally {
    output.close()
    rmSync(folder, { recursive: true })
  }
}

async function* noState() {}

test.each(Object.entries(cases))('%s: the manifest has the same lines as ever', async (name, options) => {
  const lines = await manifestLines(options)
  expect(lines).toEqual(frozen('samples.json', `manifest of ${name}`, lines))
})

test.each(Object.entries(cases))('%s: a sample is read as ever', async (name, options) => {
  const store = memoryStore(contents)
  const adapter = openAdapter(options)
  const read: Record<string, unknown> = {}
  for (const sample of await samplesOf(adapter, store)) {
    read[sample.key] = await adapter.read(store, sample).catch((error: unknown) => ({ code: codeOf(error) }))
  }
  // As JSON: −0 and absent fields are nothing that a manifest or a record could hold.
  expect(JSON.parse(JSON.stringify(read))).toEqual(frozen('samples.json', `reading of ${name}`, read))
})

test('no case has been dropped', () => {
  const compared = Object.keys(cases).flatMap((name) => [`manifest of ${name}`, `reading of ${name}`])
  expect(compared).toEqual(expect.arrayContaining(Object.keys(frozenCases('samples.json'))))
})

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error
}
