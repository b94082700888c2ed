import { z } from 'zod'
import { InputError, SampleError } from '../base/errors.ts'
import { poseOfRotation } from '../pose/geodesic.ts'
import type { ObjectInfo, Store } from '../storage/store.ts'
import type { Adapter, Box, Overview, Sample, Truth } from './adapter.ts'
import { applyExifOrientation, defineAdapter } from './adapterDefinition.ts'
import {
  BiwiFileError,
  intoColourCamera,
  parseCalibration,
  parsePose,
  type Calibration,
  type Placement,
} from './biwiFiles.ts'
import { readCompanion, refuseFault } from './companion.ts'
import { listingOf, noTruth } from './images.ts'
import { indexLocation, joinIndex, readIndex } from './indexFile.ts'
import { whyNoKey } from './indexKey.ts'
import { labelSigns, labelSignsFlag, signsOption } from './labelSigns.ts'
import type { LeftOutListener } from './leftOut.ts'
import { UnusableLabel } from './unusableLabel.ts'

/**
 * Side of the square that a head fills, in mm: from chin to crown a tall man's head measures about 250, an average
 * woman's about 220. The box without margin is this square, at the distance of the head's centre.
 */
const headSideMm = 240

const defaultMargin = 0.1

const frameName = /^(?<folder>(?:.*\/)?(?<sequence>\d\d)\/)frame_(?<frame>\d{5})_(?<what>rgb\.png|pose\.txt)$/

/** Whose axes the labels are given in: the depth camera's, as in the files and the literature, or the picture's own. */
const labelFrames = z.enum(['depth', 'rgb'])

const options = z.strictObject({
  name: z.literal('biwi'),
  applyExifOrientation,
  labels: labelFrames,
  /** Added on each side of the crop box, as a fraction of `headSideMm`; null when `boxes` says where heads are. */
  margin: z.number().nullable(),
  /** Key in the dataset, or URI, of a list of boxes; they replace the computed ones, and nothing else is a sample. */
  boxes: z.string().nullable(),
  labelSigns,
})

/**
 * The Biwi Kinect Head Pose Database as it is distributed (Fanelli et al. 2013), at any depth of folders: 640 × 480
 * frames `NN/frame_NNNNN_rgb.png`, beside each its pose, and one `rgb.cal` per sequence. A head is a small part of a
 * frame, so its box is worked out from its position before the camera. No published evaluation used these boxes.
 *
 * Four of the dataset's 20 people were recorded twice; which they are the layout does not say, so that `subject` is the
 * sequence.
 */
export const biwi = defineAdapter({
  name: 'biwi',
  summary: 'reads the Biwi Kinect Head Pose Database as it is distributed',
  flags: {
    biwiLabels: labelFrames.default('depth').meta({
      group: 'data',
      placeholder: 'CAMERA',
      description:
        'Adapter biwi: whose axes the labels are given in. depth is what the files hold and the literature compares with; rgb moves them to the camera that took the pictures, which shifts pitch by about a degree.',
    }),
    margin: z.number().min(0).max(10).default(defaultMargin).meta({
      group: 'data',
      placeholder: 'FRACTION',
      unit: 'box sides',
      description:
        'Adapter biwi: how much of the box is added on each of its sides. Without margin it is a square of 240 mm at the distance of the head, about as much as a head fills from chin to crown.',
    }),
    boxes: z.string().min(1).optional().meta({
      group: 'data',
      placeholder: 'FILE',
      automatic: 'boxes from the pose files',
      description:
        'Adapter biwi: a CSV file (or JSON Lines) of key, x0, y0, x1, y1 in image pixels, with a header. It replaces the computed boxes, and only frames that it names are read. It is looked for like the file of --index.',
    }),
    labelSigns: labelSignsFlag,
  },
  options,
  optionsOf: (settings) => {
    const boxes = settings.boxes === undefined ? null : indexLocation(settings.boxes)
    if (boxes !== null && settings.margin !== defaultMargin) {
      throw new InputError(
        'bad-option',
        '--margin widens the computed boxes, which --boxes replaces; leave one of them out',
      )
    }
    const margin = boxes === null ? settings.margin : null
    return {
      name: 'biwi' as const,
      applyExifOrientation: settings.exifOrientation,
      labels: settings.biwiLabels,
      margin,
      boxes,
      ...signsOption(settings.labelSigns),
    }
  },
  open: biwiAdapter,
  describe: ({ labels, margin, boxes }) => [
    `labels of the ${labels === 'depth' ? 'depth' : 'colour'} camera`,
    boxes === null ? `margin ${margin ?? 0}` : `boxes of ${boxes}`,
  ],
})

function biwiAdapter({ labels, margin, boxes }: z.output<typeof options>): Adapter {
  let overview: Overview = { warnings: [], isReadAnew: false }
  const calibrations = new Map<string, Calibration>()
  const calibration = async (dataset: Store, sample: Sample, key: string): Promise<Calibration> => {
    const version = `${key}\n${sample.companions.find((companion) => companion.key === key)?.etag}`
    const known = calibrations.get(version)
    if (known) return known
    const parsed = parse(`${dataset.uri}${key}`, await readCompanion(dataset, sample, key), parseCalibration)
    if (calibrations.size >= 64) calibrations.clear()
    calibrations.set(version, parsed)
    return parsed
  }
  return {
    name: 'biwi',
    samples: async function* (dataset, after, leftOut) {
      if (boxes === null) {
        yield* frames(dataset, after, leftOut)
        return
      }
      const table = await readIndex(dataset, boxes, {}, 'box')
      overview = { warnings: table.warnings, isReadAnew: table.isReadAnew }
      yield* joinIndex(table, (from) => frames(dataset, from, undefined), after)
    },
    read: async (dataset, sample): Promise<Truth> => {
      const { folder, sequence, frame } = partsOf(sample.key)
      const names = { subject: sequence, sequence, frame }
      const box = sample.truth?.box ?? null
      try {
        refuseFault(sample)
        const poseKey = `${folder}frame_${frame}_pose.txt`
        const [camera, poseBytes] = await Promise.all([
          calibration(dataset, sample, `${folder}rgb.cal`),
          readCompanion(dataset, sample, poseKey),
        ])
        const inDepth = parse(`${dataset.uri}${poseKey}`, poseBytes, parsePose)
        const inColour = intoColourCamera(inDepth, camera)
        const pose = poseOfRotation(labels === 'depth' ? inDepth.rotation : inColour.rotation)
        return { pose, box: box ?? headBox(inColour, camera, margin ?? 0), ...names }
      } catch (cause) {
        // A box that is given needs no pose file. What was replaced meanwhile (`changed`) the next run takes as a whole.
        if (box === null || !(cause instanceof SampleError) || cause.code !== 'bad-label') throw cause
        throw new UnusableLabel(cause.message, { pose: null, box, ...names }, { cause })
      }
    },
    overview: () => overview,
    whyBadKey: (dataset, key) => (boxes === null ? undefined : whyNoKey(dataset.uri, key)),
  }
}

/** Frames with the ETags of their pose file, which is listed before them, and of their sequence's calibration. */
async function* frames(
  dataset: Store,
  after: string | undefined,
  leftOut: LeftOutListener | undefined,
): AsyncIterable<Sample> {
  let pose: ObjectInfo | undefined
  let calibration: { readonly key: string; readonly found: ObjectInfo | undefined } | undefined
  const isFrame = (key: string) => frameName.exec(key)?.groups?.['what'] === 'rgb.png'
  for await (const object of dataset.list(listingOf(after, leftOut, isFrame))) {
    const { key, etag } = object
    const parts = frameName.exec(key)?.groups
    if (parts === undefined) continue
    if (parts['what'] === 'pose.txt') {
      if (etag !== '') pose = object
      continue
    }
    const { folder = '', frame = '' } = parts
    const calibrationKey = `${folder}rgb.cal`
    // It comes at the end of its sequence's listing, so it is asked for once per sequence.
    if (calibration?.key !== calibrationKey) {
      calibration = { key: calibrationKey, found: await dataset.head(calibrationKey) }
    }
    const poseKey = `${folder}frame_${frame}_pose.txt`
    // Asked for only where `after` cut it off, or it is missing.
    const own = pose?.key === poseKey ? pose : await dataset.head(poseKey)
    const companions = [own, calibration.found].flatMap((info) => (info ? [{ key: info.key, etag: info.etag }] : []))
    const missing = own === undefined ? poseKey : calibration.found === undefined ? calibrationKey : undefined
    const sample: Sample = { ...object, companions }
    yield missing === undefined
      ? sample
      : { ...sample, truth: { ...noTruth, fault: `The file ${missing} is missing; put it back.` } }
  }
}

function partsOf(key: string): { folder: string; sequence: string; frame: string } {
  const { folder, sequence, frame } = frameName.exec(key)?.groups ?? {}
  if (folder !== undefined && sequence !== undefined && frame !== undefined) return { folder, sequence, frame }
  throw new SampleError('bad-label', `the key ${key} is none of a frame (NN/frame_NNNNN_rgb.png); take it off the list`)
}

function parse<T>(name: string, bytes: Uint8Array, reader: (text: string) => T): T {
  try {
    return reader(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    if (!(cause instanceof BiwiFileError)) throw cause
    throw new SampleError('bad-label', `${name} cannot be used: ${cause.message}`, { cause })
  }
}

/** A square around the head's projected centre. */
function headBox({ translation: [x, y, z] }: Placement, camera: Calibration, margin: number): Box {
  if (!(z > 0)) throw new SampleError('bad-label', 'its pose file puts the head behind the colour camera; correct it')
  const column = camera.centreX + (camera.focalX * x) / z
  const row = camera.centreY + (camera.focalY * y) / z
  const half = ((camera.focalX / z) * headSideMm * (1 + 2 * margin)) / 2
  return { x0: column - half, y0: row - half, x1: column + half, y1: row + half }
}
