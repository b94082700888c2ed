import { parentPort, workerData } from 'node:worker_threads'
import { toErrorMessage } from '../../base/errorMessage.ts'
import { InputError } from '../../base/errors.ts'
import { openStore } from '../../storage/open.ts'
import { slicedObject } from '../../storage/slicedObject.ts'
import { buildTable } from './buildTable.ts'
import { Table } from './table.ts'
import { readTableFile, tableFilePath, writeTableFile } from './tableFile.ts'
import type { FromThread, Question, TableThreadData, ToThread } from './threadMessages.ts'

// A table's thread: reads it, then answers questions about it. In a thread of its own, since a sort of a million rows would
// keep every other request waiting.

const port = parentPort
if (port === null) throw new Error('tableThread runs as a thread only')
const say = (message: FromThread): void => port.postMessage(message)

try {
  const table = await opened(workerData as TableThreadData)
  port.on('message', ({ id, ...question }: ToThread) => {
    try {
      say({ type: 'answer', id, answer: answer(table, question) })
    } catch (error) {
      say({ type: 'refused', id, error: toErrorMessage(error) })
    }
  })
  say({ type: 'open', total: table.total, measures: table.measures })
} catch (error) {
  say({ type: 'failed', error: toErrorMessage(error) })
}

async function opened({ output, endpoint, key, whereRemoved, cacheFolder }: TableThreadData): Promise<Table> {
  const store = openStore(output, { endpoint })
  try {
    const info = await store.head(key)
    const source = info && (await slicedObject(store, key, whereRemoved))
    if (info === undefined || source === undefined) {
      throw new InputError('no-such-run', `${store.uri}${key} is gone; ${whereRemoved}`)
    }
    const path = tableFilePath(cacheFolder, `${store.endpoint ?? ''} ${store.uri}${key}`)
    const kept = await readTableFile(path, info)
    if (kept !== undefined) return new Table(kept)
    const arrays = await buildTable(source, (rows, total) => say({ type: 'progress', rows, total }))
    await writeTableFile(path, info, arrays).catch((error: unknown) =>
      say({ type: 'not-kept', message: error instanceof Error ? error.message : String(error) }),
    )
    return new Table(arrays)
  } finally {
    store.close()
  }
}

function answer(table: Table, question: Question): unknown {
  switch (question.name) {
    case 'page':
      return table.page(...question.given)
    case 'facets':
      return table.facets(...question.given)
    case 'row':
      return table.row(...question.given)
    case 'drawn':
      return table.drawn(...question.given)
    case 'positionOf':
      return table.positionOf(...question.given)
    case 'neighbours':
      return table.neighbours(...question.given)
  }
}
