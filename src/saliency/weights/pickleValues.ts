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
  | PickleUnread

export class PickleList {
  readonly items: PickleValue[] = []
}

export class PickleTuple {
  readonly items: readonly PickleValue[]

  constructor(items: readonly PickleValue[]) {
    this.items = items
  }
}

/** A dict, OrderedDict or defaultdict. Keys that are objects compare by identity, which is enough: only text keys are ever read. */
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

/**
 * A Python class or function that this reader has no use for, by its `module.name`, and whatever the pickle makes with it:
 * its objects, what calling it gives, the state that is set on that. Nothing stands behind it and nothing is kept in it.
 */
export class PickleUnread {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** What the pickle's owner makes out of the calls it knows: tensors and storages. */
export class PickleForeign<T = unknown> {
  readonly value: T

  constructor(value: T) {
    this.value = value
  }
}
