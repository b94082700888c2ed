import { InputError } from '../../../base/errors.ts'
import { readResultSet, resultSetIds, type ResultSet } from '../../../output/resultSet.ts'
import { tableOf, type FoundTable } from '../../../report/compare/foundTable.ts'
import type { Store } from '../../../storage/store.ts'
import { decodedPart, setFolder } from '../../shared/setFolder.ts'

export type OpenStore = (uri: string) => Store

/** What an operand names: a result set, or one of its runs. */
interface Named {
  readonly output: Store
  readonly set: ResultSet
  /** Null: the state now. */
  readonly run: string | null
}

/**
 * The table that an operand names: of a result set its state, of a run what was the state when it had ended. InputError
 * `no-such-run` when there is none, or no longer; `bad-option` when an output holds several result sets.
 */
export async function tableNamed(uri: string, open: OpenStore): Promise<FoundTable> {
  const { output, set, run } = await named(uri, open)
  return tableOf(output, set, run)
}

async function named(uri: string, open: OpenStore): Promise<Named> {
  const given = open(uri)
  // The canonical URI, in which a folder's name is percent-encoded and a prefix in S3 is not.
  const asRun = /^(.+\/)([^/]+)\/runs\/([^/]+)\/$/.exec(given.uri)
  if (asRun !== null) {
    const found = await setIn(open(asRun[1] ?? ''), decodedPart(given, asRun[2] ?? ''))
    if (found !== undefined) return { ...found, run: decodedPart(given, asRun[3] ?? '') }
  }
  await given.check('read')
  const asSet = await setFolder(given)
  const found = asSet && (await setIn(open(asSet.output), asSet.id))
  if (found) return { ...found, run: null }
  return { ...(await onlySetOf(given)), run: null }
}

async function setIn(output: Store, id: string): Promise<Omit<Named, 'run'> | undefined> {
  const set = await readResultSet(output, id)
  return set === undefined ? undefined : { output, set }
}

async function onlySetOf(output: Store): Promise<Omit<Named, 'run'>> {
  const ids: string[] = []
  for await (const id of resultSetIds(output)) ids.push(id)
  const [id] = ids
  if (id === undefined) {
    throw noSuchRun(`${output.uri} is no result set and holds none; headlight run makes one`)
  }
  if (ids.length > 1) {
    const list = ids.map((each) => `${output.uri}${each}`).join(', ')
    throw new InputError('bad-option', `${output.uri} holds several result sets; name one: ${list}`)
  }
  const found = await setIn(output, id)
  if (found === undefined) throw noSuchRun(`${output.uri}${id}/ was removed while it was read`)
  return found
}

const noSuchRun = (message: string): InputError => new InputError('no-such-run', message)
