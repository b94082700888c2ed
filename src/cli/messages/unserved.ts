/** What becomes of an open run that nobody holds. */
export const unservedText =
  'no producer is at it now: the same run or produce command goes on with it, or a headlight producer that finds it in its queue'
