import { TransientError } from '../../base/errors.ts'
import { settles } from '../../base/settles.ts'
import { whole } from '../../report/numberText.ts'
import type { CompareReply, Waiting } from '../wire.ts'
import type { RunningComparison, startComparison } from './startComparison.ts'
import type { ComparisonThreadData } from './threadMessages.ts'

/** Of so many pairs the result is kept: some 100 kB each. */
const keptResults = 8
/** What is compared in less is waited for. */
const patienceMs = 200
/** A browser that waits asks several times a second; whoever went away no longer does. */
const forgottenAfterMs = 60_000

/** Two tables to compare, and a name that another pair, or these tables in another state of the output, do not have. */
export interface NamedPair {
  readonly name: string
  readonly data: ComparisonThreadData
}

interface Entry {
  readonly name: string
  /** How it was asked for: as long as it goes on, whoever asks so means this pair. */
  readonly askedAs: Set<string>
  readonly reply: Promise<CompareReply>
  /** Null while others are before it. */
  running: RunningComparison | null
  isDone: boolean
  isForgotten: boolean
  forgetting: NodeJS.Timeout | undefined
}

/** Comparisons that were asked for: one at a time is made, once for all who ask, and the last few are kept. */
export class ComparisonShelf {
  readonly #start: typeof startComparison
  /** The one that was asked for last is the last. */
  readonly #entries = new Map<string, Entry>()
  /** Fulfilled when all that were asked for so far are done with. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(start: typeof startComparison) {
    this.#start = start
  }

  /**
   * The comparison, or how far it has got. Rejects with the error for which it cannot be made, once, and tries again when it
   * is asked for again.
   *
   * @param asked how the reader named the pair
   * @param find looks which tables are meant now; not called while the pair so named is being compared
   */
  async of(asked: string, find: () => Promise<NamedPair>): Promise<CompareReply | Waiting> {
    const entry = this.#unfinished(asked) ?? this.#entryOf(await find())
    entry.askedAs.add(asked)
    this.#entries.delete(entry.name)
    this.#entries.set(entry.name, entry)
    this.#remember(entry)
    try {
      return (await settles(entry.reply, patienceMs)) ? await entry.reply : { waiting: progressOf(entry) }
    } catch (error) {
      this.#drop(entry)
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => this.#forget(entry)))
  }

  #unfinished(asked: string): Entry | undefined {
    return [...this.#entries.values()].find((entry) => !entry.isDone && entry.askedAs.has(asked))
  }

  #entryOf({ name, data }: NamedPair): Entry {
    const known = this.#entries.get(name)
    if (known !== undefined) return known
    const reply = this.#turn.then(() => this.#make(entry, data))
    // Whoever asks hears of a failure; until then it is no unhandled one.
    this.#turn = reply.catch(() => undefined)
    const entry: Entry = {
      name,
      askedAs: new Set(),
      reply,
      running: null,
      isDone: false,
      isForgotten: false,
      forgetting: undefined,
    }
    this.#entries.set(name, entry)
    return entry
  }

  async #make(entry: Entry, data: ComparisonThreadData): Promise<CompareReply> {
    if (entry.isForgotten) throw new TransientError('store-busy', 'the comparison was given up; ask again')
    entry.running = this.#start(data)
    try {
      return await entry.running.reply
    } finally {
      entry.running = null
      entry.isDone = true
      clearTimeout(entry.forgetting)
      this.#dropOldest()
    }
  }

  /** Puts off the moment at which nobody seems to want it any more. */
  #remember(entry: Entry): void {
    clearTimeout(entry.forgetting)
    if (!entry.isDone) entry.forgetting = setTimeout(() => void this.#forget(entry), forgottenAfterMs).unref()
  }

  async #forget(entry: Entry): Promise<void> {
    entry.isForgotten = true
    this.#drop(entry)
    await entry.running?.stop()
  }

  #drop(entry: Entry): void {
    clearTimeout(entry.forgetting)
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name)
  }

  #dropOldest(): void {
    const done = [...this.#entries.values()].filter(({ isDone }) => isDone)
    for (const entry of done.slice(0, Math.max(0, done.length - keptResults))) this.#drop(entry)
  }
}

function progressOf({ running }: Entry): Waiting['waiting'] {
  if (running === null) return { text: 'waiting until another comparison is done', done: 0, total: 0 }
  const { done, total } = running.looked
  const text = total === 0 ? 'comparing' : `comparing ${whole(total)} images`
  return { text, done, total }
}
