import { Worker } from 'node:worker_threads'
import { fromErrorMessage } from '../../base/errorMessage.ts'
import { TransientError } from '../../base/errors.ts'
import { siblingModule } from '../../base/siblingModule.ts'
import type { Measure } from '../measures.ts'
import type { TableQueries } from './tableQueries.ts'
import type { FromThread, Question, QuestionName, TableThreadData } from './threadMessages.ts'

/** Answers are small and short-lived: without the limit the heap grows by tens of megabytes before they are swept. */
const maxYoungGenerationSizeMb = 8

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A table's thread, seen from the server. */
export class TableHost {
  readonly #thread: Worker
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #read = { rows: 0, total: 0 }
  #isClosing = false
  #ended: Error | undefined
  /** Fulfilled as soon as questions are answered; rejected when the table cannot be read. */
  readonly opened: Promise<TableQueries>

  constructor(data: TableThreadData, onNotKept: (message: string) => void) {
    this.#thread = new Worker(siblingModule(import.meta.url, './tableThread'), {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb },
    })
    this.opened = new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#ended = error
        reject(error)
        for (const { reject: refuse } of this.#pending.values()) refuse(error)
        this.#pending.clear()
      }
      this.#thread.on('message', (message: FromThread) => {
        if (message.type === 'progress') this.#read = { rows: message.rows, total: message.total }
        else if (message.type === 'open') resolve(this.#queries(message.total, message.measures))
        else if (message.type === 'failed') fail(fromErrorMessage(message.error))
        else if (message.type === 'not-kept') onNotKept(message.message)
        else this.#answered(message)
      })
      // A fault of the program, or a table that is too large for the memory of a thread.
      this.#thread.on('error', (error) => fail(died(data.key, error)))
      this.#thread.on('exit', () => fail(this.#ended ?? (this.#isClosing ? closed() : died(data.key))))
    })
    // Whoever asks for it hears of the failure; until then it is no unhandled one.
    this.opened.catch(() => undefined)
  }

  /** How many rows have been read; `total` is 0 until it is known. */
  get read(): { readonly rows: number; readonly total: number } {
    return this.#read
  }

  /** Whether all that is asked is refused: it was closed, could not be read, or its thread has died. */
  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  /** Whether a question is on its way. */
  get isAsked(): boolean {
    return this.#pending.size > 0
  }

  /** Frees the memory. What is still asked is rejected. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#thread.terminate()
  }

  #answered(message: Extract<FromThread, { id: number }>): void {
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (message.type === 'answer') pending?.resolve(message.answer)
    else pending?.reject(fromErrorMessage(message.error))
  }

  #queries(total: number, measures: readonly Measure[]): TableQueries {
    const ask =
      <Name extends QuestionName>(name: Name) =>
      (...given: Parameters<TableQueries[Name]>) =>
        this.#ask({ name, given } as Question) as ReturnType<TableQueries[Name]>
    return {
      total,
      measures,
      page: ask('page'),
      facets: ask('facets'),
      row: ask('row'),
      drawn: ask('drawn'),
      positionOf: ask('positionOf'),
      neighbours: ask('neighbours'),
    }
  }

  #ask(question: Question): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended)
      const id = ++this.#lastId
      this.#pending.set(id, { resolve, reject })
      this.#thread.postMessage({ id, ...question })
    })
  }
}

function died(key: string, cause?: Error): TransientError {
  const why = cause === undefined ? '' : ` (${cause.message})`
  return new TransientError('unit-died', `the thread that held the table ${key} has died${why}; ask again`, { cause })
}

function closed(): TransientError {
  return new TransientError('store-busy', 'the table was closed to make room for others; ask again')
}
