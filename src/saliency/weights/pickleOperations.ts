import type { ByteCursor } from './byteCursor.ts'
import type { PickleMachine } from './pickleMachine.ts'
import { PickleDict, PickleList, PickleTuple, PickleUnread, type PickleValue } from './pickleValues.ts'

type Operation = (machine: PickleMachine, cursor: ByteCursor) => void

/** Ends a pickle, and so is no operation. */
export const stopCode = 0x2e

/**
 * Every operation that data need, by the name that Python's `pickletools` gives it, with its code. What is not here
 * (buffers from elsewhere, weak references, whatever a later protocol brings) is refused.
 */
const operations: Readonly<Record<string, readonly [code: number, run: Operation]>> = {
  PROTO: [
    0x80,
    (machine, cursor) => {
      if (cursor.u8() > 5) throw machine.nonsense('a pickle protocol newer than 5')
    },
  ],
  // Only a hint for buffering.
  FRAME: [0x95, (_, cursor) => void cursor.u64()],

  // The stack and the memo
  MARK: [0x28, (machine) => machine.mark()],
  POP: [0x30, (machine) => machine.drop()],
  POP_MARK: [0x31, (machine) => void machine.popToMark()],
  DUP: [0x32, (machine) => machine.push(machine.peek())],
  PUT: [0x70, (machine) => machine.memoize(machine.decimal())],
  BINPUT: [0x71, (machine, cursor) => machine.memoize(cursor.u8())],
  LONG_BINPUT: [0x72, (machine, cursor) => machine.memoize(cursor.u32())],
  MEMOIZE: [0x94, (machine) => machine.memoize()],
  GET: [0x67, (machine) => machine.recall(machine.decimal())],
  BINGET: [0x68, (machine, cursor) => machine.recall(cursor.u8())],
  LONG_BINGET: [0x6a, (machine, cursor) => machine.recall(cursor.u32())],

  // Scalars
  NONE: [0x4e, (machine) => machine.push(null)],
  NEWTRUE: [0x88, (machine) => machine.push(true)],
  NEWFALSE: [0x89, (machine) => machine.push(false)],
  BININT1: [0x4b, (machine, cursor) => machine.push(cursor.u8())],
  BININT2: [0x4d, (machine, cursor) => machine.push(cursor.u16())],
  BININT: [0x4a, (machine, cursor) => machine.push(cursor.i32())],
  INT: [
    0x49,
    (machine, cursor) => {
      const text = cursor.line()
      machine.push(text === '01' ? true : text === '00' ? false : machine.integer(text))
    },
  ],
  LONG: [0x4c, (machine, cursor) => machine.push(machine.integer(cursor.line().replace(/L$/, '')))],
  LONG1: [0x8a, (machine, cursor) => machine.push(machine.longInteger(cursor.u8()))],
  LONG4: [0x8b, (machine, cursor) => machine.push(machine.longInteger(cursor.i32()))],
  FLOAT: [0x46, (machine, cursor) => machine.push(Number(cursor.line()))],
  BINFLOAT: [0x47, (machine, cursor) => machine.push(cursor.f64BigEndian())],

  // Text and bytes
  STRING: [0x53, (machine, cursor) => machine.push(cursor.line().replace(/^(['"])(.*)\1$/, '$2'))],
  BINSTRING: [0x54, (machine, cursor) => machine.push(cursor.text(cursor.u32(), 'latin1'))],
  SHORT_BINSTRING: [0x55, (machine, cursor) => machine.push(cursor.text(cursor.u8(), 'latin1'))],
  UNICODE: [0x56, (machine, cursor) => machine.push(cursor.line())],
  BINUNICODE: [0x58, (machine, cursor) => machine.push(cursor.text(cursor.u32(), 'utf8'))],
  SHORT_BINUNICODE: [0x8c, (machine, cursor) => machine.push(cursor.text(cursor.u8(), 'utf8'))],
  BINUNICODE8: [0x8d, (machine, cursor) => machine.push(cursor.text(cursor.u64(), 'utf8'))],
  BINBYTES: [0x42, (machine, cursor) => machine.push(cursor.bytes(cursor.u32()))],
  SHORT_BINBYTES: [0x43, (machine, cursor) => machine.push(cursor.bytes(cursor.u8()))],
  BINBYTES8: [0x8e, (machine, cursor) => machine.push(cursor.bytes(cursor.u64()))],
  BYTEARRAY8: [0x96, (machine, cursor) => machine.push(cursor.bytes(cursor.u64()))],

  // Containers. A set is read as a list: order is all that it adds.
  EMPTY_TUPLE: [0x29, (machine) => machine.push(new PickleTuple([]))],
  TUPLE: [0x74, (machine) => machine.push(new PickleTuple(machine.popToMark()))],
  TUPLE1: [0x85, (machine) => machine.push(new PickleTuple(machine.popMany(1)))],
  TUPLE2: [0x86, (machine) => machine.push(new PickleTuple(machine.popMany(2)))],
  TUPLE3: [0x87, (machine) => machine.push(new PickleTuple(machine.popMany(3)))],
  EMPTY_LIST: [0x5d, (machine) => machine.push(new PickleList())],
  EMPTY_SET: [0x8f, (machine) => machine.push(new PickleList())],
  LIST: [0x6c, (machine) => machine.push(listOf(machine.popToMark()))],
  FROZENSET: [0x91, (machine) => machine.push(listOf(machine.popToMark()))],
  APPEND: [0x61, (machine) => machine.append([machine.pop()])],
  APPENDS: [0x65, (machine) => machine.append(machine.popToMark())],
  ADDITEMS: [0x90, (machine) => machine.append(machine.popToMark())],
  EMPTY_DICT: [0x7d, (machine) => machine.push(new PickleDict())],
  DICT: [
    0x64,
    (machine) => {
      const items = machine.popToMark()
      machine.push(new PickleDict())
      machine.setPairs(items)
    },
  ],
  SETITEM: [0x73, (machine) => machine.setPairs(machine.popMany(2))],
  SETITEMS: [0x75, (machine) => machine.setPairs(machine.popToMark())],

  // Names, and calls of them
  GLOBAL: [
    0x63,
    (machine, cursor) => {
      const module = cursor.line()
      machine.push(machine.global(module, cursor.line()))
    },
  ],
  STACK_GLOBAL: [
    0x93,
    (machine) => {
      const [module = null, name = null] = machine.popMany(2)
      machine.push(machine.global(module, name))
    },
  ],
  REDUCE: [0x52, callWithTuple],
  NEWOBJ: [0x81, callWithTuple],
  NEWOBJ_EX: [
    0x92,
    (machine) => {
      const keywords = machine.pop()
      const args = machine.pop()
      const called = machine.pop()
      const plain = keywords instanceof PickleDict && keywords.entries.size === 0
      if (!plain && !(called instanceof PickleUnread)) throw machine.nonsense('named arguments')
      machine.call(called, args)
    },
  ],
  INST: [
    0x69,
    (machine, cursor) => {
      const module = cursor.line()
      const called = machine.global(module, cursor.line())
      machine.call(called, new PickleTuple(machine.popToMark()))
    },
  ],
  OBJ: [
    0x6f,
    (machine) => {
      const [called = null, ...args] = machine.popToMark()
      machine.call(called, new PickleTuple(args))
    },
  ],
  BUILD: [0x62, (machine) => machine.build(machine.pop())],
  PERSID: [0x50, (machine, cursor) => machine.persistent(cursor.line())],
  BINPERSID: [0x51, (machine) => machine.persistent(machine.pop())],
  EXT1: [0x82, (machine, cursor) => machine.push(machine.extension(cursor.u8()))],
  EXT2: [0x83, (machine, cursor) => machine.push(machine.extension(cursor.u16()))],
  EXT4: [0x84, (machine, cursor) => machine.push(machine.extension(cursor.i32()))],
}

const byCode: ReadonlyMap<number, Operation> = new Map(Object.values(operations))

/** Runs the operation of this code, which the cursor has just passed. */
export function runOperation(code: number, machine: PickleMachine): void {
  const run = byCode.get(code)
  if (run === undefined) {
    const shown = code.toString(16).padStart(2, '0')
    throw machine.nonsense(`operation 0x${shown}, which is none or needs outside data`)
  }
  run(machine, machine.cursor)
}

function callWithTuple(machine: PickleMachine): void {
  const args = machine.pop()
  machine.call(machine.pop(), args)
}

function listOf(items: readonly PickleValue[]): PickleList {
  const list = new PickleList()
  for (const item of items) list.items.push(item)
  return list
}
