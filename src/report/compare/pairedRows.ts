import { compareKeys } from '../../storage/keyOrder.ts'

/** What two tables say of one key; one of the two may lack it. */
export type PairedRows<Row> =
  | { readonly a: Row; readonly b: Row }
  | { readonly a: Row; readonly b?: never }
  | { readonly b: Row; readonly a?: never }

/** Merges two tables that are sorted by the UTF-8 bytes of their keys, holding one row of each. */
export async function* pairedRows<Row extends { readonly key: string }>(
  tableA: AsyncGenerator<Row>,
  tableB: AsyncGenerator<Row>,
): AsyncGenerator<PairedRows<Row>> {
  try {
    let [nextA, nextB] = await Promise.all([tableA.next(), tableB.next()])
    while (nextA.done !== true || nextB.done !== true) {
      const order = nextA.done === true ? 1 : nextB.done === true ? -1 : compareKeys(nextA.value.key, nextB.value.key)
      if (order === 0 && nextA.done !== true && nextB.done !== true) {
        yield { a: nextA.value, b: nextB.value }
        nextA = await tableA.next()
        nextB = await tableB.next()
      } else if (order < 0 && nextA.done !== true) {
        yield { a: nextA.value }
        nextA = await tableA.next()
      } else if (nextB.done !== true) {
        yield { b: nextB.value }
        nextB = await tableB.next()
      }
    }
  } finally {
    await Promise.all([tableA.return(undefined), tableB.return(undefined)])
  }
}
