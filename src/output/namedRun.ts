import { InputError } from '../base/errors.ts'
import type { Store } from '../storage/store.ts'
import { readResultSet, resultSetIds, type ResultSet } from './resultSet.ts'
import { readRun, runIds, type Run } from './runs.ts'

export interface NamedRun {
  readonly set: ResultSet
  readonly run: Run
}

/** How many known runs an error names. */
const named = 5

/**
 * The run that a person means by a run id, the beginning or the end of one, or `latest`: the run of the whole output that was
 * started last. InputError `no-such-run` when there is none or several, with the known ones;
 * `bad-layout` when its files are another's.
 */
export async function namedRun(output: Store, name: string): Promise<NamedRun> {
  const known: { set: string; run: string }[] = []
  for await (const set of resultSetIds(output)) {
    for (const run of await runIds(output, set)) known.push({ set, run })
  }
  // Run ids sort by their start.
  known.sort((a, b) => (a.run < b.run ? -1 : 1))
  const exact = known.filter(({ run }) => run === name)
  const found =
    exact.length > 0 ? exact : name === 'latest' ? known.slice(-1) : known.filter(({ run }) => isMeant(run, name))
  const [one] = found
  if (one === undefined || found.length > 1) throw noSuchRun(output, name, found.length > 1 ? found : known)
  const [set, run] = await Promise.all([readResultSet(output, one.set), readRun(output, one.set, one.run)])
  if (set === undefined || run === undefined) throw noSuchRun(output, name, known)
  return { set, run }
}

/** Its end is the part that people compare at a glance. */
const isMeant = (run: string, name: string): boolean => run.startsWith(name) || run.endsWith(name)

function noSuchRun(output: Store, name: string, candidates: readonly { run: string }[]): InputError {
  const ids = candidates.slice(-named).map(({ run }) => run)
  if (ids.length === 0) {
    return new InputError('no-such-run', `${output.uri} holds no run at all; headlight run makes one`)
  }
  const others = candidates.length > ids.length ? `, and ${candidates.length - ids.length} older ones` : ''
  const list = `${ids.join(', ')}${others}`
  const isKnown = candidates.some(({ run }) => isMeant(run, name))
  const message = isKnown
    ? `several runs in ${output.uri} begin or end with "${name}": ${list}; give more of the id.`
    : `${output.uri} holds no run ${name}; it holds ${list}.`
  return new InputError('no-such-run', message)
}
