import { z } from 'zod'
import { SampleError } from '../base/errors.ts'
import { isLabelAngle, type Degrees, type Pose } from '../pose/euler.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import type { ObjectInfo, Store } from '../storage/store.ts'
import type { Adapter, Box, Sample } from './adapter.ts'
import { applyExifOrientation, defineAdapter } from './adapterDefinition.ts'
import { readCompanion, refuseFault } from './companion.ts'
import { isImageKey, listingOf, noTruth, tellLeftOut } from './images.ts'
import { labelSigns, labelSignsFlag, signsOption } from './labelSigns.ts'
import type { LeftOutListener } from './leftOut.ts'
import { MatlabError, readMatlab5, type MatlabArray } from './matlab5.ts'
import { UnusableLabel } from './unusableLabel.ts'

/** `hopenet` drops missing landmarks; `hopenet-literal` keeps them, as the published evaluation did. */
const boxRules = z.enum(['hopenet', 'hopenet-literal'])
type BoxRule = z.output<typeof boxRules>

/**
 * AFLW2000-3D and 300W-LP: beside each image a MATLAB file of the same name with `Pose_Para` (pitch, yaw and roll in
 * radians, then translation and scale) and `pt2d` (2 × N landmarks in image pixels).
 */
export const aflw2000 = defineAdapter({
  name: 'aflw2000',
  summary: 'reads AFLW2000-3D and 300W-LP, a .mat beside each image',
  flags: {
    box: boxRules.default('hopenet').meta({
      group: 'data',
      description:
        "Adapter aflw2000: how the box is made from the landmarks. hopenet is Hopenet's rule without missing landmarks; hopenet-literal counts them among the others, as the published evaluation did.",
    }),
    labelSigns: labelSignsFlag,
  },
  options: z.strictObject({ name: z.literal('aflw2000'), applyExifOrientation, box: boxRules, labelSigns }),
  optionsOf: ({ box, exifOrientation, labelSigns: signs }) => ({
    name: 'aflw2000' as const,
    applyExifOrientation: exifOrientation,
    box,
    ...signsOption(signs),
  }),
  open: ({ box }) => aflw2000Adapter(box),
  describe: ({ box }) => [`box ${box}`],
})

function aflw2000Adapter(rule: BoxRule): Adapter {
  return {
    name: 'aflw2000',
    samples: labelledImages,
    read: async (dataset, sample) => {
      refuseFault(sample)
      const key = labelKey(sample.key)
      const bytes = await readCompanion(dataset, sample, key)
      const usable = <T>(read: () => T, unusable: (message: string, options: { cause: unknown }) => Error): T => {
        try {
          return read()
        } catch (cause) {
          if (!(cause instanceof MatlabError)) throw cause
          throw unusable(`${dataset.uri}${key} cannot be used: ${cause.message}`, { cause })
        }
      }
      const refuse = (message: string, options: { cause: unknown }) => new SampleError('bad-label', message, options)
      const arrays = usable(() => readMatlab5(bytes, ['Pose_Para', 'pt2d']), refuse)
      const truth = { ...noTruth, box: usable(() => hopenetBox(arrays.get('pt2d'), rule), refuse) }
      // The map depends on the landmarks alone.
      const pose = usable(
        () => poseOf(arrays.get('Pose_Para')),
        (message, options) => new UnusableLabel(message, truth, options),
      )
      return { ...truth, pose }
    },
  }
}

function labelKey(imageKey: string): string {
  return imageKey.replace(/\.[^./]*$/, '.mat')
}

interface Waiting {
  sample: Sample
  readonly label: string
  /** Whether it is known if the label's file is there. */
  known: boolean
}

/**
 * Images with the ETag of the file beside them. `a.jpg` is listed before `a.mat`, so an image waits until the listing has
 * passed that name; `a.png` comes after it. What waits are names between two that differ in their ending only.
 */
async function* labelledImages(dataset: Store, after?: string, leftOut?: LeftOutListener): AsyncIterable<Sample> {
  const waiting: Waiting[] = []
  let passed: ObjectInfo | undefined
  for await (const object of dataset.list(listingOf(after, leftOut, isImageKey))) {
    const { key, etag } = object
    for (const entry of waiting) {
      if (!entry.known && compareKeys(entry.label, key) <= 0)
        settle(entry, entry.label === key && etag !== '' ? object : undefined)
    }
    for (let first = waiting[0]; first?.known === true; first = waiting[0]) {
      yield first.sample
      waiting.shift()
    }
    if (key.endsWith('.mat') && etag !== '') passed = object
    if (!isImageKey(key)) {
      tellLeftOut(leftOut, key, etag)
      continue
    }
    const entry = { sample: { ...object, companions: [] }, label: labelKey(key), known: false }
    if (compareKeys(entry.label, key) < 0) {
      // Asked for where `after` cut it off or other names lie in between.
      settle(entry, passed?.key === entry.label ? passed : await dataset.head(entry.label))
    }
    if (entry.known && waiting.length === 0) yield entry.sample
    else waiting.push(entry)
  }
  for (const entry of waiting) {
    if (!entry.known) settle(entry, undefined)
    yield entry.sample
  }
}

function settle(entry: Waiting, found: ObjectInfo | undefined): void {
  entry.known = true
  entry.sample = found
    ? { ...entry.sample, companions: [{ key: found.key, etag: found.etag }] }
    : {
        ...entry.sample,
        truth: { ...noTruth, fault: `The file ${entry.label} with its pose is missing; put it back.` },
      }
}

function poseOf(parameters: MatlabArray | undefined): Pose {
  const [pitch, yaw, roll] = parameters?.values ?? []
  if (parameters === undefined || pitch === undefined || yaw === undefined || roll === undefined) {
    throw new MatlabError('it has no Pose_Para of three angles')
  }
  const pose = { yaw: degrees(yaw), pitch: degrees(pitch), roll: degrees(roll) }
  if (Object.values(pose).every(isLabelAngle)) return pose
  throw new MatlabError('its Pose_Para holds angles that are no radians')
}

function degrees(radians: number): Degrees {
  return (radians * 180) / Math.PI
}

/** Hopenet's k (Ruiz et al. 2018, `AFLW2000` in its datasets.py). */
const margin = 0.2

/**
 * Hopenet's box around the landmarks. Its lines run one after another, each with what the former ones have changed, and
 * it ends in Python's `int`. A missing landmark has x = −1 and a y that looks like one: it goes as a whole.
 */
function hopenetBox(landmarks: MatlabArray | undefined, rule: BoxRule): Box {
  if (landmarks?.dimensions[0] !== 2) throw new MatlabError('it has no pt2d of two rows')
  const xs: number[] = []
  const ys: number[] = []
  for (let at = 0; at + 1 < landmarks.values.length; at += 2) {
    const [x = NaN, y = NaN] = landmarks.values.subarray(at, at + 2)
    if (rule === 'hopenet-literal' || (x >= 0 && y >= 0)) {
      xs.push(x)
      ys.push(y)
    }
  }
  let [x0, y0, x1, y1] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
  // False for NaN and for no landmarks at all, too.
  if (!(x1 > x0 && y1 > y0 && [x0, y0, x1, y1].every(Number.isFinite))) {
    throw new MatlabError('its pt2d has no two landmarks that span a box')
  }
  x0 -= 2 * margin * (x1 - x0)
  y0 -= 2 * margin * (y1 - y0)
  x1 += 2 * margin * (x1 - x0)
  y1 += 0.6 * margin * (y1 - y0)
  return { x0: Math.trunc(x0), y0: Math.trunc(y0), x1: Math.trunc(x1), y1: Math.trunc(y1) }
}
