import { Worker } from 'node:worker_threads'
import { fromErrorMessage } from '../../base/errorMessage.ts'
import { TransientError } from '../../base/errors.ts'
import { siblingModule } from '../../base/siblingModule.ts'
import type { CompareReply } from '../wire.ts'
import type { ComparisonThreadData, FromComparisonThread } from './threadMessages.ts'

/** A comparison that goes on. */
export interface RunningComparison {
  /** Rejects with the error for which the tables cannot be compared, or when it is stopped. */
  readonly reply: Promise<CompareReply>
  /** Images looked at so far; `total` is 0 while it is not known. */
  readonly looked: { readonly done: number; readonly total: number }
  stop(): Promise<void>
}

/** Compares two tables in a thread of its own. */
export function startComparison(data: ComparisonThreadData): RunningComparison {
  const thread = new Worker(siblingModule(import.meta.url, './comparisonThread'), { workerData: data })
  let looked = { done: 0, total: 0 }
  const reply = new Promise<CompareReply>((resolve, reject) => {
    thread.on('message', (message: FromComparisonThread) => {
      if (message.type === 'progress') looked = { done: message.done, total: message.total }
      else if (message.type === 'compared') resolve(message.reply)
      else reject(fromErrorMessage(message.error))
    })
    thread.on('error', reject)
    thread.on('exit', () => reject(new TransientError('store-busy', 'the comparison was given up; ask again')))
  })
  return {
    reply,
    get looked() {
      return looked
    },
    stop: async () => {
      await thread.terminate()
    },
  }
}
