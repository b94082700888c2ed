/**
 * What all of them give, once every one has ended: nothing is under way any more when the error of the first that failed,
 * in their order, is raised.
 */
export async function together<const T extends readonly unknown[]>(
  tasks: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(tasks)
  return Promise.all(tasks)
}
