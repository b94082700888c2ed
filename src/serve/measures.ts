/** What a measure is a measure of: the browse screen groups its facets so. */
export type MeasureGroup = 'pose' | 'estimate' | 'label' | 'error' | 'confidence' | 'class'

export interface MeasureFacts {
  /** What people read; names of angles in it are lower case. */
  readonly name: string
  /** `°`, or empty for shares and numbers of classes. */
  readonly unit: '°' | ''
  readonly group: MeasureGroup
}

/**
 * The numbers of a row by which it can be chosen and sorted. `pose…` is the label where the row has one, else the estimate,
 * as in the atlas. Errors are estimate − label, and null for rows that are left out of all errors, so that a broken label
 * never leads a list. Probabilities are from 0 to 1.
 */
export const measures = {
  poseYaw: { name: 'yaw', unit: '°', group: 'pose' },
  absPoseYaw: { name: '|yaw|', unit: '°', group: 'pose' },
  posePitch: { name: 'pitch', unit: '°', group: 'pose' },
  poseRoll: { name: 'roll', unit: '°', group: 'pose' },
  meanError: { name: 'mean error', unit: '°', group: 'error' },
  absErrorYaw: { name: '|yaw error|', unit: '°', group: 'error' },
  absErrorPitch: { name: '|pitch error|', unit: '°', group: 'error' },
  absErrorRoll: { name: '|roll error|', unit: '°', group: 'error' },
  errorYaw: { name: 'yaw error', unit: '°', group: 'error' },
  errorPitch: { name: 'pitch error', unit: '°', group: 'error' },
  errorRoll: { name: 'roll error', unit: '°', group: 'error' },
  errorGeodesic: { name: 'geodesic error', unit: '°', group: 'error' },
  yawTopProbability: { name: 'confidence in yaw', unit: '', group: 'confidence' },
  pitchTopProbability: { name: 'confidence in pitch', unit: '', group: 'confidence' },
  rollTopProbability: { name: 'confidence in roll', unit: '', group: 'confidence' },
  yaw: { name: 'estimated yaw', unit: '°', group: 'estimate' },
  pitch: { name: 'estimated pitch', unit: '°', group: 'estimate' },
  roll: { name: 'estimated roll', unit: '°', group: 'estimate' },
  labelYaw: { name: 'labelled yaw', unit: '°', group: 'label' },
  labelPitch: { name: 'labelled pitch', unit: '°', group: 'label' },
  labelRoll: { name: 'labelled roll', unit: '°', group: 'label' },
  class: { name: 'class', unit: '', group: 'class' },
  topClass: { name: 'likeliest class', unit: '', group: 'class' },
  topClassProbability: { name: 'confidence', unit: '', group: 'class' },
} as const satisfies Readonly<Record<string, MeasureFacts>>

export type Measure = keyof typeof measures

export const measureNames = Object.keys(measures) as readonly Measure[]

export function isMeasure(name: string): name is Measure {
  return Object.hasOwn(measures, name)
}
