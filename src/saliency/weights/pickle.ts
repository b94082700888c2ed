import { InputError } from '../../errors.ts'
import { type ByteCursor, truncated } from './byteCursor.ts'

/** Everything a pickle can leave on the stack here. Objects of Python classes never exist: a class is only a name. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleForeign

export class PickleList {
  readonly items: PickleValue[] = []
}

export class PickleTuple {
  readonly items: readonly PickleValue[]

  constructor(items: readonly PickleValue[]) {
    this.items = items
  }
}

/** A dict or OrderedDict. Keys that are objects compare by identity, which is enough: only text keys are ever read. */
export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>()
}

/** The name of a Python class or function, as `module.name`. Nothing stands behind it. */
export class PickleGlobal {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** What the pickle's owner makes out of the calls it allows: tensors and storages. */
export class PickleForeign<T = unknown> {
  readonly value: T

  constructor(value: T) {
    this.value = value
  }
}

/** What a pickle may ask for; everything else is refused. */
export interface PickleVocabulary {
  /** Whether `module.name` may be named at all. */
  allows(name: string): boolean
  /** What calling an allowed name gives. Never a call of anything in the pickle: the names are looked up in a table. */
  call(name: string, args: readonly PickleValue[]): PickleValue
  /** What a persistent id stands for. */
  persistent(id: PickleValue): PickleValue
}

/** A checkpoint of a thousand tensors takes about 40,000 operations, three times that with an optimiser. The limit bounds memory and time. */
const maxOperations = 500_000
/** PyTorch's magic number takes 10 bytes; converting long ones is slow. */
const maxIntegerBytes = 16

class Mark {}

/**
 * Reads one pickle (protocols 0 to 5) from the cursor and leaves the cursor behind its STOP. A pickle is a program;
 * this interpreter knows its data operations and no way to call code: a global is only compared with the vocabulary's
 * table, and one that is not in it ends the reading with InputError `unsafe-checkpoint`. A pickle that is cut off or
 * makes no sense is an InputError `bad-checkpoint`.
 */
export function readPickle(cursor: ByteCursor, vocabulary: PickleVocabulary): PickleValue {
  const machine = new PickleMachine(cursor, vocabulary)
  for (let operation = 0; operation < maxOperations; operation++) {
    if (machine.step(cursor.u8())) return machine.result()
  }
  throw new InputError(
    'bad-checkpoint',
    `${cursor.file} holds a pickle of over ${maxOperations} operations, far more than weights need: save only the state_dict()`,
  )
}

class PickleMachine {
  readonly #cursor: ByteCursor
  readonly #vocabulary: PickleVocabulary
  readonly #stack: (PickleValue | Mark)[] = []
  readonly #memo = new Map<number, PickleValue>()
  /** Items copied by building a dict from a list again and again; without a limit a small file could take for ever. */
  #copies = 0

  constructor(cursor: ByteCursor, vocabulary: PickleVocabulary) {
    this.#cursor = cursor
    this.#vocabulary = vocabulary
  }

  result(): PickleValue {
    return this.#pop()
  }

  /** Runs one operation; true after STOP. */
  step(code: number): boolean {
    const cursor = this.#cursor
    switch (String.fromCharCode(code)) {
      case '.':
        return true
      case '\x80': // PROTO
        if (cursor.u8() > 5) throw this.#nonsense('a pickle protocol newer than 5')
        break
      case '\x95': // FRAME: only a hint for buffering
        cursor.u64()
        break

      // The stack and the memo
      case '(':
        this.#stack.push(new Mark())
        break
      case '0':
        this.#stack.pop()
        break
      case '1':
        this.#popToMark()
        break
      case '2':
        this.#stack.push(this.#peek())
        break
      case 'p':
        this.#memo.set(this.#decimal(), this.#peek())
        break
      case 'q':
        this.#memo.set(cursor.u8(), this.#peek())
        break
      case 'r':
        this.#memo.set(cursor.u32(), this.#peek())
        break
      case '\x94': // MEMOIZE
        this.#memo.set(this.#memo.size, this.#peek())
        break
      case 'g':
        this.#stack.push(this.#recall(this.#decimal()))
        break
      case 'h':
        this.#stack.push(this.#recall(cursor.u8()))
        break
      case 'j':
        this.#stack.push(this.#recall(cursor.u32()))
        break

      // Scalars
      case 'N':
        this.#stack.push(null)
        break
      case '\x88':
        this.#stack.push(true)
        break
      case '\x89':
        this.#stack.push(false)
        break
      case 'K':
        this.#stack.push(cursor.u8())
        break
      case 'M':
        this.#stack.push(cursor.u16())
        break
      case 'J':
        this.#stack.push(cursor.i32())
        break
      case 'I': {
        const text = cursor.line()
        this.#stack.push(text === '01' ? true : text === '00' ? false : this.#integer(text))
        break
      }
      case 'L':
        this.#stack.push(this.#integer(cursor.line().replace(/L$/, '')))
        break
      case '\x8a':
        this.#stack.push(this.#bigInteger(cursor.u8()))
        break
      case '\x8b':
        this.#stack.push(this.#bigInteger(cursor.i32()))
        break
      case 'F':
        this.#stack.push(Number(cursor.line()))
        break
      case 'G':
        this.#stack.push(cursor.f64BigEndian())
        break

      // Text and bytes
      case 'S':
        this.#stack.push(cursor.line().replace(/^(['"])(.*)\1$/, '$2'))
        break
      case 'T':
        this.#stack.push(cursor.text(cursor.u32(), 'latin1'))
        break
      case 'U':
        this.#stack.push(cursor.text(cursor.u8(), 'latin1'))
        break
      case 'V':
        this.#stack.push(cursor.line())
        break
      case 'X':
        this.#stack.push(cursor.text(cursor.u32(), 'utf8'))
        break
      case '\x8c':
        this.#stack.push(cursor.text(cursor.u8(), 'utf8'))
        break
      case '\x8d':
        this.#stack.push(cursor.text(cursor.u64(), 'utf8'))
        break
      case 'B':
        this.#stack.push(cursor.bytes(cursor.u32()))
        break
      case 'C':
        this.#stack.push(cursor.bytes(cursor.u8()))
        break
      case '\x8e':
      case '\x96':
        this.#stack.push(cursor.bytes(cursor.u64()))
        break

      // Containers
      case ')':
        this.#stack.push(new PickleTuple([]))
        break
      case 't':
        this.#stack.push(new PickleTuple(this.#popToMark()))
        break
      case '\x85':
      case '\x86':
      case '\x87': {
        const items: PickleValue[] = []
        for (let i = 0x84; i < code; i++) items.unshift(this.#pop())
        this.#stack.push(new PickleTuple(items))
        break
      }
      case ']':
      case '\x8f': // EMPTY_SET: order is all that a list adds
        this.#stack.push(new PickleList())
        break
      case 'l':
      case '\x91': // FROZENSET
        this.#stack.push(listOf(this.#popToMark()))
        break
      case 'a': {
        const item = this.#pop()
        this.#topList().push(item)
        break
      }
      case 'e':
      case '\x90': {
        const items = this.#popToMark()
        const list = this.#topList()
        for (const item of items) list.push(item)
        break
      }
      case '}':
        this.#stack.push(new PickleDict())
        break
      case 'd': {
        const items = this.#popToMark()
        const dict = new PickleDict()
        this.#setPairs(dict, items)
        this.#stack.push(dict)
        break
      }
      case 's': {
        const value = this.#pop()
        const key = this.#pop()
        this.#topDict().entries.set(key, value)
        break
      }
      case 'u': {
        const items = this.#popToMark()
        this.#setPairs(this.#topDict(), items)
        break
      }

      // Names, and calls of them
      case 'c': {
        const module = cursor.line()
        this.#stack.push(this.#global(module, cursor.line()))
        break
      }
      case '\x93': {
        const name = this.#pop()
        const module = this.#pop()
        if (typeof name !== 'string' || typeof module !== 'string') throw this.#nonsense('a global without a name')
        this.#stack.push(this.#global(module, name))
        break
      }
      case 'R':
      case '\x81': {
        const args = this.#pop()
        this.#call(this.#pop(), args)
        break
      }
      case '\x92': {
        const keywords = this.#pop()
        if (!(keywords instanceof PickleDict) || keywords.entries.size > 0) throw this.#nonsense('named arguments')
        const args = this.#pop()
        this.#call(this.#pop(), args)
        break
      }
      case 'i': {
        const module = cursor.line()
        const called = this.#global(module, cursor.line())
        this.#call(called, new PickleTuple(this.#popToMark()))
        break
      }
      case 'o': {
        const [called, ...args] = this.#popToMark()
        this.#call(called ?? null, new PickleTuple(args))
        break
      }
      case 'b':
        // A state_dict() carries `_metadata` as the state of its OrderedDict; no tensor needs it.
        this.#pop()
        if (!(this.#peek() instanceof PickleDict)) throw this.#nonsense('a state for something that is no dictionary')
        break
      case 'P':
        this.#stack.push(this.#vocabulary.persistent(cursor.line()))
        break
      case 'Q':
        this.#stack.push(this.#vocabulary.persistent(this.#pop()))
        break
      case '\x82':
      case '\x83':
      case '\x84':
        throw new InputError(
          'unsafe-checkpoint',
          `${cursor.file} asks for a class by an extension code of copyreg, which no tensor needs: ${saveWeightsOnly}`,
        )
      default:
        throw this.#nonsense(`operation 0x${code.toString(16).padStart(2, '0')}, which is none or needs outside data`)
    }
    return false
  }

  #global(module: string, name: string): PickleGlobal {
    const full = `${module}.${name}`
    if (!this.#vocabulary.allows(full)) throw refusedGlobal(this.#cursor.file, full)
    return new PickleGlobal(full)
  }

  #call(called: PickleValue, args: PickleValue): void {
    if (!(called instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
      throw this.#nonsense('a call of something that is no function')
    }
    if (called.name !== 'collections.OrderedDict') {
      this.#stack.push(this.#vocabulary.call(called.name, args.items))
      return
    }
    // Python 2 wrote an OrderedDict as a call with a list of pairs, Python 3 as an empty one that is filled later.
    const dict = new PickleDict()
    const [pairs] = args.items
    if (pairs !== undefined && !(pairs instanceof PickleList)) throw this.#nonsense('an odd OrderedDict')
    for (const pair of pairs?.items ?? []) {
      const items = pair instanceof PickleTuple || pair instanceof PickleList ? pair.items : []
      const [key, value] = items
      if (items.length !== 2 || key === undefined || value === undefined) throw this.#nonsense('an odd OrderedDict')
      if (++this.#copies > maxOperations) throw this.#nonsense('the same list copied over and over')
      dict.entries.set(key, value)
    }
    this.#stack.push(dict)
  }

  #setPairs(dict: PickleDict, items: readonly PickleValue[]): void {
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]
      const value = items[i + 1]
      if (key === undefined || value === undefined) throw this.#nonsense('a key without a value')
      dict.entries.set(key, value)
    }
  }

  #pop(): PickleValue {
    const value = this.#stack.pop()
    if (value === undefined || value instanceof Mark) throw this.#nonsense('a value missing from its stack')
    return value
  }

  #peek(): PickleValue {
    const value = this.#stack.at(-1)
    if (value === undefined || value instanceof Mark) throw this.#nonsense('a value missing from its stack')
    return value
  }

  #popToMark(): PickleValue[] {
    const items: PickleValue[] = []
    for (;;) {
      const value = this.#stack.pop()
      if (value instanceof Mark) return items.reverse()
      if (value === undefined) throw this.#nonsense('a mark missing from its stack')
      items.push(value)
    }
  }

  #topList(): PickleValue[] {
    const top = this.#peek()
    if (!(top instanceof PickleList)) throw this.#nonsense('an item for something that is no list')
    return top.items
  }

  #topDict(): PickleDict {
    const top = this.#peek()
    if (!(top instanceof PickleDict)) throw this.#nonsense('a key for something that is no dictionary')
    return top
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index)
    if (value === undefined) throw this.#nonsense(`memo ${index}, which was never written`)
    return value
  }

  #decimal(): number {
    const value = this.#integer(this.#cursor.line())
    if (typeof value !== 'number' || value < 0) throw this.#nonsense('a memo without a number')
    return value
  }

  #integer(text: string): number | bigint {
    if (!/^-?\d{1,38}$/.test(text)) throw this.#nonsense('an integer that is none')
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : BigInt(text)
  }

  #bigInteger(count: number): number | bigint {
    if (count < 0 || count > maxIntegerBytes) throw this.#nonsense(`an integer of ${count} bytes`)
    if (count === 0) return 0
    const bytes = this.#cursor.bytes(count)
    let value = 0n
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
    value = BigInt.asIntN(count * 8, value)
    const small = Number(value)
    return Number.isSafeInteger(small) ? small : value
  }

  #nonsense(what: string): InputError {
    return truncated(this.#cursor.file, `its pickle has ${what} before byte ${this.#cursor.position}`)
  }
}

function listOf(items: readonly PickleValue[]): PickleList {
  const list = new PickleList()
  for (const item of items) list.items.push(item)
  return list
}

const saveWeightsOnly =
  'load it where you trust it and save the weights alone with torch.save(model.state_dict(), FILE).'

/** Modules whose classes mean that the whole model was pickled, not its weights. */
const modelModules = /^(torch\.nn|torchvision\.models|timm\.models)\./

function refusedGlobal(file: string, name: string): InputError {
  // A name out of a hostile file may hold anything; a terminal must not obey it.
  const shown = JSON.stringify(name.slice(0, 200)).slice(1, -1)
  if (modelModules.test(name)) {
    return new InputError(
      'bad-checkpoint',
      `${file} is a whole pickled model (it asks for ${shown}), not its weights: ${saveWeightsOnly}`,
    )
  }
  return new InputError(
    'unsafe-checkpoint',
    `${file} asks for ${shown}, which no tensor needs (nothing was run): ${saveWeightsOnly}`,
  )
}
