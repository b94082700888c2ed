import { truncated } from './byteCursor.ts'
import type { StoredArray } from './numpyArray.ts'
import type { PickleVocabulary } from './pickleMachine.ts'
import { PickleForeign, PickleGlobal, PickleTuple, PickleUnread, type PickleValue } from './pickleValues.ts'

/** NumPy 2 moved `numpy.core` to `numpy._core`. */
const callables =
  /^(?:numpy\.dtype|_codecs\.encode|numpy\._?core\.multiarray\._reconstruct|numpy\._?core\.numeric\._frombuffer)$/

/** No array of numbers beside a network has more axes. */
const maxAxes = 8

class DType {
  /** `f4` */
  readonly kind: string
  order = '='

  constructor(kind: string) {
    this.kind = kind
  }
}

/** An array, which a pickle makes empty and then gives its state. */
class PickledArray {
  stored: StoredArray | undefined
}

/** The names that NumPy's arrays need in pickles of protocol 2 and later, and what calling them gives. */
export class NumpyVocabulary implements PickleVocabulary {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  global(name: string): PickleGlobal | PickleUnread {
    // An array's class is named, never called.
    return callables.test(name) ? new PickleGlobal(name) : new PickleUnread(name)
  }

  call(name: string, args: readonly PickleValue[]): PickleValue {
    if (name === 'numpy.dtype') {
      if (typeof args[0] !== 'string') throw this.#odd('a dtype without a name')
      return new PickleForeign(new DType(args[0]))
    }
    if (name === '_codecs.encode') {
      // Protocol 2 has no bytes: Python 3 writes them as text of the same numbers.
      if (typeof args[0] !== 'string') throw this.#odd('text that is none')
      return Buffer.from(args[0], 'latin1')
    }
    const array = new PickledArray()
    if (name.endsWith('._frombuffer')) {
      const [bytes, dtype, shape, order] = args
      array.stored = this.#stored(shape, dtype, order === 'F', bytes)
    }
    return new PickleForeign(array)
  }

  persistent(): PickleValue {
    return new PickleUnread('a persistent id')
  }

  build({ value }: PickleForeign, state: PickleValue): void {
    const items = state instanceof PickleTuple ? state.items : []
    if (value instanceof DType) {
      if (typeof items[1] !== 'string') throw this.#odd('a dtype without a byte order')
      value.order = items[1]
    } else if (value instanceof PickledArray) {
      const [, shape, dtype, fortranOrder, bytes] = items
      value.stored = this.#stored(shape, dtype, fortranOrder === true, bytes)
    }
  }

  /** Undefined for an array of anything but plain numbers. */
  #stored(
    shape: PickleValue | undefined,
    dtype: PickleValue | undefined,
    fortranOrder: boolean,
    data: PickleValue | undefined,
  ): StoredArray | undefined {
    if (!(dtype instanceof PickleForeign) || !(dtype.value instanceof DType)) return undefined
    // Python 2 wrote bytes as text.
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    if (!(bytes instanceof Uint8Array)) return undefined
    const sides = shape instanceof PickleTuple ? shape.items : []
    if (sides.length > maxAxes || !sides.every((side) => isCount(side))) throw this.#odd('an array of an odd shape')
    const { order, kind } = dtype.value
    return { dtype: `${order}${kind}`, shape: sides, fortranOrder, bytes }
  }

  #odd(what: string): Error {
    return truncated(this.#file, `its pickle has ${what}`)
  }
}

export function arrayIn(value: PickleValue): StoredArray | undefined {
  return value instanceof PickleForeign && value.value instanceof PickledArray ? value.value.stored : undefined
}

function isCount(value: PickleValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
