import type { InputError } from '../../base/errors.ts'
import { truncated, type ByteCursor } from './byteCursor.ts'
import {
  PickleDict,
  PickleForeign,
  PickleGlobal,
  PickleList,
  PickleTuple,
  PickleUnread,
  type PickleValue,
} from './pickleValues.ts'

/** What the names in a pickle stand for. */
export interface PickleVocabulary {
  /** `module.name`: a PickleGlobal where calls of it mean something here, otherwise a PickleUnread. */
  global(name: string): PickleGlobal | PickleUnread
  /** What calling a PickleGlobal gives. Never a call of anything in the pickle: the names are looked up in a table. */
  call(name: string, args: readonly PickleValue[]): PickleValue
  /** What a persistent id stands for. */
  persistent(id: PickleValue): PickleValue
  /** Takes the state that the pickle sets on what a call gave; without it there is nothing that takes one. */
  build?(object: PickleForeign, state: PickleValue): void
}

/** PyTorch's magic number takes 10 bytes; converting long ones is slow. */
const maxIntegerBytes = 16
/** Building a dict from a list again and again copies its items; without a limit a small file could take for ever. */
const maxCopies = 500_000

class Mark {}

/** The stack and the memo of a pickle being read, and what its operations have in common. */
export class PickleMachine {
  readonly cursor: ByteCursor
  readonly #vocabulary: PickleVocabulary
  readonly #stack: (PickleValue | Mark)[] = []
  readonly #memo = new Map<number, PickleValue>()
  #copies = 0

  constructor(cursor: ByteCursor, vocabulary: PickleVocabulary) {
    this.cursor = cursor
    this.#vocabulary = vocabulary
  }

  push(value: PickleValue): void {
    this.#stack.push(value)
  }

  pop(): PickleValue {
    const value = this.#stack.pop()
    if (value === undefined || value instanceof Mark) throw this.nonsense('a value missing from its stack')
    return value
  }

  /** Takes whatever is on top away, a mark too. */
  drop(): void {
    this.#stack.pop()
  }

  peek(): PickleValue {
    const value = this.#stack.at(-1)
    if (value === undefined || value instanceof Mark) throw this.nonsense('a value missing from its stack')
    return value
  }

  mark(): void {
    this.#stack.push(new Mark())
  }

  popToMark(): PickleValue[] {
    const items: PickleValue[] = []
    for (;;) {
      const value = this.#stack.pop()
      if (value instanceof Mark) return items.reverse()
      if (value === undefined) throw this.nonsense('a mark missing from its stack')
      items.push(value)
    }
  }

  /** The last `count` values, in the order in which they were pushed. */
  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse()
  }

  /** Keeps what is on top under a number; without one under the next. */
  memoize(index: number = this.#memo.size): void {
    this.#memo.set(index, this.peek())
  }

  recall(index: number): void {
    const value = this.#memo.get(index)
    if (value === undefined) throw this.nonsense(`memo ${index}, which was never written`)
    this.#stack.push(value)
  }

  /** To the list on top, item by item: a spread of a hundred thousand arguments overflows the stack. */
  append(items: readonly PickleValue[]): void {
    const list = this.peek()
    if (list instanceof PickleUnread) return
    if (!(list instanceof PickleList)) throw this.nonsense('an item for something that is no list')
    for (const item of items) list.items.push(item)
  }

  /** In the dictionary on top. `items` are key, value, key, value … */
  setPairs(items: readonly PickleValue[]): void {
    const dict = this.peek()
    if (dict instanceof PickleUnread) return
    if (!(dict instanceof PickleDict)) throw this.nonsense('a key for something that is no dictionary')
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]
      const value = items[i + 1]
      if (key === undefined || value === undefined) throw this.nonsense('a key without a value')
      dict.entries.set(key, value)
    }
  }

  global(module: PickleValue, name: PickleValue): PickleGlobal | PickleUnread {
    if (typeof name !== 'string' || typeof module !== 'string') throw this.nonsense('a global without a name')
    return this.#vocabulary.global(`${module}.${name}`)
  }

  /** A class that only Python's own registry could find by this number. */
  extension(code: number): PickleValue {
    return this.#vocabulary.global(`copyreg extension ${code}`)
  }

  /** Pushes what the vocabulary says that a call gives. */
  call(called: PickleValue, args: PickleValue): void {
    if (called instanceof PickleUnread) {
      this.push(called)
      return
    }
    if (!(called instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
      throw this.nonsense('a call of something that is no function')
    }
    if (called.name === 'collections.OrderedDict') this.push(this.#orderedDict(args))
    // Its argument is what it gives for a key that it lacks: nobody asks it for one.
    else if (called.name === 'collections.defaultdict') this.push(new PickleDict())
    else this.push(this.#vocabulary.call(called.name, args.items))
  }

  /** Sets the state of what is on top. A state_dict() carries `_metadata` as one; no tensor needs it. */
  build(state: PickleValue): void {
    const object = this.peek()
    if (object instanceof PickleForeign && this.#vocabulary.build) this.#vocabulary.build(object, state)
    else if (!(object instanceof PickleDict || object instanceof PickleUnread)) {
      throw this.nonsense('a state for something that has none')
    }
  }

  /** Pushes what a persistent id stands for. */
  persistent(id: PickleValue): void {
    this.push(this.#vocabulary.persistent(id))
  }

  /** Python 2 wrote an OrderedDict as a call with a list of pairs, Python 3 as an empty one that is filled later. */
  #orderedDict(args: PickleTuple): PickleDict | PickleUnread {
    const dict = new PickleDict()
    const [pairs] = args.items
    if (pairs instanceof PickleUnread) return pairs
    if (pairs !== undefined && !(pairs instanceof PickleList)) throw this.nonsense('an odd OrderedDict')
    for (const pair of pairs?.items ?? []) {
      const items = pair instanceof PickleTuple || pair instanceof PickleList ? pair.items : []
      const [key, value] = items
      if (items.length !== 2 || key === undefined || value === undefined) throw this.nonsense('an odd OrderedDict')
      if (++this.#copies > maxCopies) throw this.nonsense('the same list copied over and over')
      dict.entries.set(key, value)
    }
    return dict
  }

  /** A memo's number, written in digits on a line. */
  decimal(): number {
    const value = this.integer(this.cursor.line())
    if (typeof value !== 'number' || value < 0) throw this.nonsense('a memo without a number')
    return value
  }

  integer(text: string): number | bigint {
    if (!/^-?\d{1,38}$/.test(text)) throw this.nonsense('an integer that is none')
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : BigInt(text)
  }

  /** Two's complement, little-endian. */
  longInteger(byteCount: number): number | bigint {
    if (byteCount < 0 || byteCount > maxIntegerBytes) throw this.nonsense(`an integer of ${byteCount} bytes`)
    if (byteCount === 0) return 0
    const bytes = this.cursor.bytes(byteCount)
    let value = 0n
    for (let i = byteCount - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
    value = BigInt.asIntN(byteCount * 8, value)
    const small = Number(value)
    return Number.isSafeInteger(small) ? small : value
  }

  nonsense(what: string): InputError {
    return truncated(this.cursor.file, `its pickle has ${what} before byte ${this.cursor.position}`)
  }
}
