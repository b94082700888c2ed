import type { ErrorCode } from '../../base/errors.ts'
import type { Truth } from '../../dataset/adapter.ts'
import { layout } from '../../output/layout.ts'
import type { ManifestEntry } from '../../output/manifest.ts'
import type { OkRecord, Record as SampleRecord } from '../../output/record.ts'
import type { ResultOptions } from '../../output/resultSet.ts'
import { binStatistics } from '../../pose/bins.ts'
import { angleError, type AngleName } from '../../pose/euler.ts'
import { topClassScore } from '../../saliency/classScore.ts'
import type { Explanation } from '../../saliency/explainer.ts'
import type { Description } from '../../saliency/networks/description.ts'
import { outputKey } from '../../saliency/networks/heads/kinds.ts'
import { tellsTopClass } from '../../saliency/objective.ts'

/** Where the network's input lies in its image: width and height of the image, and the rectangle shown, in its pixels. */
export interface View {
  readonly imageWidth: number
  readonly imageHeight: number
  readonly crop: readonly [number, number, number, number]
}

/**
 * The record of a computed sample. Keys stand in the schema's order and every number is a float32 written with the
 * fewest digits that give the same float32 back, so equal results are equal bytes. (Writing the doubles would put
 * noise digits such as 12.300000190734863 into every table; rounding to fixed decimals would lose small gradients.)
 * Errors are formed from the written angles, so that a reader who subtracts the columns finds the same.
 */
export function okRecord(
  entry: ManifestEntry,
  truth: Truth,
  view: View,
  explanation: Explanation,
  description: Description,
  options: ResultOptions,
  labelFault?: string,
): OkRecord {
  const angles = byAngle((name) => float32(explanation.angles[name]))
  const pose = truth.pose
  const label = pose && { yaw: shortest(pose.yaw), pitch: shortest(pose.pitch), roll: shortest(pose.roll) }
  const error = label && byAngle((name) => errorOf(angles[name], label[name]))
  const [x0, y0, x1, y1] = view.crop
  const record: OkRecord = {
    key: entry.key,
    fingerprint: entry.fingerprint,
    status: 'ok',
    angles,
    label,
    error,
    bins: byAngle((name) => binsOf(name, explanation, description)),
    imageWidth: view.imageWidth,
    imageHeight: view.imageHeight,
    crop: [shortest(x0), shortest(y0), shortest(x1), shortest(y1)],
    subject: truth.subject,
    sequence: truth.sequence,
    frame: truth.frame,
    ...(truth.face === undefined ? {} : { face: truth.face }),
    ...(typeof truth.class === 'number' ? { class: truth.class } : {}),
    ...topClassOf(explanation, options),
    ...(labelFault === undefined ? {} : { labelFault }),
    objectives: {},
  }
  for (const objective of options.objectives) {
    const shown = explanation.objectives[objective]
    if (!shown) throw new Error(`the explainer left out the objective ${objective}`)
    record.objectives[objective] = {
      map: layout.map(objective, entry.key),
      gradient: options.gradients === 'none' ? null : layout.gradient(objective, entry.key),
      gradientMean: shortest(shown.mean),
      gradientStd: shortest(shown.std),
      gradientMaxAbs: shortest(shown.maxAbs),
    }
  }
  if (options.logits) {
    record.logits = {}
    for (const [head, values] of Object.entries(explanation.outputs)) record.logits[head] = Array.from(values, shortest)
  }
  return record
}

/** The record of a sample that could not be computed. */
export function failedRecord(entry: ManifestEntry, code: ErrorCode, message: string): SampleRecord {
  return { key: entry.key, fingerprint: entry.fingerprint, status: 'failed', code, message }
}

function binsOf(name: AngleName, explanation: Explanation, description: Description): OkRecord['bins'][AngleName] {
  const head = description.heads.find((candidate) => candidate.kind === 'binned' && candidate.angle === name)
  const raw = head && explanation.outputs[outputKey(head, description.heads)]
  if (head?.kind !== 'binned' || !raw) return null
  const { start = 0, bins } = head
  const logits = raw.subarray(start, start + bins)
  const statistics = binStatistics(logits, head.step)
  return {
    topBin: statistics.topBin,
    topProbability: shortest(statistics.topProbability),
    binsStd: shortest(statistics.binsStd),
    binsEntropy: shortest(statistics.binsEntropy),
  }
}

function topClassOf(
  explanation: Explanation,
  { objectives }: ResultOptions,
): Pick<OkRecord, 'topClass' | 'topClassProbability'> {
  const logits = explanation.outputs['classes']
  if (logits === undefined || !tellsTopClass(objectives)) return {}
  const top = topClassScore(logits)
  return { topClass: top.class, topClassProbability: shortest(top.probability) }
}

function byAngle<T>(of: (name: AngleName) => T): { yaw: T; pitch: T; roll: T } {
  return { yaw: of('yaw'), pitch: of('pitch'), roll: of('roll') }
}

function errorOf(estimate: number | null, label: number): number | null {
  return estimate === null ? null : shortest(angleError(estimate, label))
}

function float32(value: number | null): number | null {
  return value === null ? null : shortest(value)
}

/** The double with the shortest decimal form among those that round to the same float32. −0 becomes 0. */
export function shortest(value: number): number {
  const wanted = Math.fround(value)
  if (wanted === 0) return 0
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(wanted.toPrecision(digits))
    if (Math.fround(candidate) === wanted) return candidate
  }
  return Number(wanted.toPrecision(9))
}
