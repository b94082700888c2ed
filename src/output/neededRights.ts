import type { TriedAccess } from '../storage/trial.ts'
import { layout } from './layout.ts'

export const roles = ['worker', 'producer'] as const
export type Role = (typeof roles)[number]

/** What somebody must be allowed to do with objects of an output. */
export interface NeededRight {
  readonly access: TriedAccess
  /** A key of a result set that no network gives. */
  readonly key: string
  readonly neededBy: Role
  /** What for. */
  readonly purpose: string
  /** What does as well; absent where nothing does. */
  readonly instead?: string
}

const [set, run, sample] = ['headlight-doctor', '0', 'probe'] as const

/**
 * What is needed beyond listing, reading, and writing and deleting probes, which both sides do:
 * infra/terraform/policies grants the same. Both list `run` needs.
 */
export const neededRights: readonly NeededRight[] = [
  ...needed('worker', 'write', [
    ['maps', `${set}/${layout.map('sum', sample)}`],
    ['gradients', `${set}/${layout.gradient('sum', sample)}`],
    ['records', layout.recordFile(set, run, 0, 0)],
  ]),
  ...needed('producer', 'write', [
    ['result sets', layout.set(set)],
    ['networks', layout.network(set, 'network')],
    ['the hold', layout.hold(set)],
    ['runs', layout.run(set, run)],
    ['manifests', layout.manifestPart(set, run, 0)],
    ['tables', layout.table(set)],
    ['reports', layout.report(set)],
    ['publishing', layout.current(set)],
  ]),
  ...needed('producer', 'write', [['keeping the pictures of reports', layout.reportPictures(set)]]).map((right) => ({
    ...right,
    instead: 'have every report draw all of its pictures anew',
  })),
  ...needed('producer', 'give up uploads', [['tables of more than 8 MB', layout.table(set)]]),
  {
    access: 'find uploads',
    key: layout.table(set),
    neededBy: 'producer',
    purpose: 'removing what a killed run left of a table',
    instead: 'let a rule of the bucket abort unfinished uploads after two days',
  },
  ...needed('producer', 'delete', [
    ['giving the hold back', layout.hold(set)],
    ['--prune of maps', `${set}/${layout.map('sum', sample)}`],
    ['--prune of gradients', `${set}/${layout.gradient('sum', sample)}`],
  ]),
  ...needed('producer', 'delete', [
    ['--keep-runs of tables', layout.runTable(set, run)],
    ['--keep-runs of places', layout.mapPlaces(set, run)],
    ['--keep-runs of atlases', layout.atlas(set, run)],
    ['--keep-runs of atlases of inputs', layout.inputAtlas(set, run)],
    ['--keep-runs of manifests', layout.manifestPart(set, run, 0)],
    ['--keep-runs of records', layout.recordFile(set, run, 0, 0)],
  ]).map((right) => ({ ...right, instead: 'do without --keep-runs' })),
]

function needed(
  neededBy: Role,
  access: NeededRight['access'],
  keys: readonly (readonly [purpose: string, key: string])[],
): NeededRight[] {
  return keys.map(([purpose, key]) => ({ access, key, neededBy, purpose }))
}
