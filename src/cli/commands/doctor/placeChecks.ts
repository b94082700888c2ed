import { HeadlightError } from '../../../base/errors.ts'
import { withoutPassword } from '../../../base/telemetry.ts'
import { neededRights, roles, type NeededRight, type Role } from '../../../output/neededRights.ts'
import type { OpenStoreOptions } from '../../../storage/open.ts'
import { openTrial } from '../../../storage/openTrial.ts'
import { place, withPlaces } from '../../../storage/place.ts'
import type { StoreTrial } from '../../../storage/trial.ts'
import type { Finding } from './checks.ts'

/** One right that was tried. */
interface Tried {
  readonly right: string
  readonly neededBy: readonly Role[]
  readonly purpose: string
  /** What does as well. */
  readonly instead?: string | undefined
  /** What the store said; null where it is granted. */
  readonly refusal: string | null
}

/** Whether a dataset can be listed and read from here. Never rejects. */
export function checkDataset(uri: string, options: OpenStoreOptions): Promise<Finding[]> {
  return withTrial('dataset', uri, options, undefined, async (trial, report) => {
    const key = await report.tried('list', '*', roles, 'listing images', () => trial.list())
    if (key === undefined) {
      report.note('no object with bytes in it was found, so reading was not tried', null)
      return
    }
    await report.tried('read', '*', roles, 'reading images', () => trial.read(key))
  })
}

/**
 * Whether an output can be used from here, by the role that is asked for, else by at least one. Never rejects, and leaves
 * nothing: where a probe cannot be removed, it says which one stays.
 */
export function checkOutput(uri: string, options: OpenStoreOptions, role: Role | undefined): Promise<Finding[]> {
  return withTrial('output', uri, options, role, async (trial, report) => {
    const probe = trial.probePattern
    try {
      const facts = await report.tried('write', probe, roles, 'a test file', () => trial.writeProbe())
      if (trial.left !== undefined) await report.tried('read', '*', roles, 'reading results', () => trial.readProbe())
      // A folder that could not be made has nothing to list.
      if (facts !== undefined || trial.hasRightsByKey) {
        await report.tried('list', '*', roles, 'listing results', () => trial.list())
      }
      if (facts === undefined && trial.hasRightsByKey) report.note('what else may be written was not tried', null)
      if (facts?.isConditional === false) {
        const why = 'two runs that start in the same moment may both write to a result set; start only one at a time'
        report.note('it has no conditional PUT (If-None-Match)', why)
      }
      for (const needed of trial.hasRightsByKey ? neededRights : []) {
        // It would write, and a worker may not remove it.
        if (needed.access === 'write' && facts?.isConditional !== true) continue
        const { access, key, neededBy, purpose, instead } = needed
        const attempt = () => trial.mayDo(access, key)
        await report.tried(access, patternOf(needed), [neededBy], purpose, attempt, instead)
      }
    } finally {
      if (trial.left !== undefined) await report.tried('delete', probe, roles, 'a test file', () => trial.deleteProbe())
    }
  })
}

const patternOf = ({ key }: NeededRight): string =>
  key
    .replace(/^[^/]+/, '*')
    .replace('/runs/0/', '/runs/*/')
    .replace(/(probe|0000).*$/, '*')

type Access = Parameters<StoreTrial['right']>[0]

class Report {
  readonly rights: Tried[] = []
  readonly notes: Finding[] = []
  readonly #name: string
  readonly #trial: StoreTrial

  constructor(name: string, trial: StoreTrial) {
    this.#name = name
    this.#trial = trial
  }

  /** Undefined where the right is missing. What is no refusal is raised: then nothing can be told of the place. */
  async tried<T>(
    access: Access,
    pattern: string,
    neededBy: readonly Role[],
    purpose: string,
    attempt: () => Promise<T>,
    instead?: string,
  ): Promise<T | undefined> {
    const right = this.#trial.right(access, pattern)
    const known = this.rights.find((one) => one.right === right && one.neededBy.join() === neededBy.join())
    try {
      const result = await attempt()
      if (known === undefined) this.rights.push({ right, neededBy, purpose, instead, refusal: null })
      return result
    } catch (error) {
      if (!(error instanceof HeadlightError) || !['access-denied', 'unavailable'].includes(error.code)) throw error
      this.rights.push({ right, neededBy, purpose, instead, refusal: withPlaces(error.message) })
      return undefined
    }
  }

  note(detail: string, remedy: string | null): void {
    this.notes.push({ name: this.#name, ok: true, detail, remedy })
  }
}

async function withTrial(
  name: string,
  uri: string,
  options: OpenStoreOptions,
  role: Role | undefined,
  body: (trial: StoreTrial, report: Report) => Promise<void>,
): Promise<Finding[]> {
  let trial: StoreTrial | undefined
  let report: Report | undefined
  let failure: Finding[] = []
  try {
    trial = await openTrial(uri, options)
    report = new Report(name, trial)
    await body(trial, report)
  } catch (error) {
    const said = withPlaces(withoutPassword(error instanceof Error ? error.message : String(error)))
    failure = [{ name, ok: false, detail: said, remedy: null }]
  } finally {
    trial?.close()
  }
  if (trial === undefined || report === undefined) return failure
  const left: Finding[] =
    trial.left === undefined ? [] : [{ name, ok: false, detail: `${trial.left} stays there`, remedy: 'remove it' }]
  return [...judged(name, place(trial.uri), report.rights, role), ...report.notes, ...failure, ...left]
}

/**
 * A missing right is a problem where the role that is asked for needs it. Without one, it is where no role could do
 * without: producers and workers have rights of their own, and whoever looks from a worker's pod wants to know of those.
 */
function judged(name: string, where: string, rights: readonly Tried[], asked: Role | undefined): Finding[] {
  const lacks = (role: Role): boolean =>
    rights.some(
      ({ refusal, instead, neededBy }) => refusal !== null && instead === undefined && neededBy.includes(role),
    )
  const needing = asked === undefined ? (roles.every(lacks) ? roles : roles.filter((role) => !lacks(role))) : [asked]
  const findings = rights.flatMap(({ right, neededBy, purpose, instead, refusal }): Finding[] => {
    const by = neededBy.length === roles.length ? 'worker and producer' : neededBy.join()
    if (refusal === null) return [{ name, ok: true, detail: `${right} (${by}: ${purpose})`, remedy: null }]
    const isNeeded = instead === undefined && neededBy.some((role) => needing.includes(role))
    const remedy = isNeeded ? `grant it; ${refusal}` : instead === undefined ? `only a ${by} needs it` : `or ${instead}`
    return [{ name, ok: !isNeeded, detail: `${right} is missing (${by}: ${purpose})`, remedy }]
  })
  if (name !== 'output' || rights.length === 0) return findings
  const able = roles.filter((role) => !lacks(role))
  const both = able.length === roles.length ? 'worker, producer and run' : `a ${able.join()} alone`
  if (able.length > 0) findings.push({ name, ok: true, detail: `${where} is as ${both} can use it`, remedy: null })
  return findings
}
