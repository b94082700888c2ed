/** What is promised, or an Error once so many seconds have passed; `begin` is not called where none are left. */
export async function withinSeconds<T>(seconds: number, begin: () => Promise<T>): Promise<T> {
  if (seconds <= 0) throw new Error('the time is up')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds.toFixed(0)} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([begin(), late])
  } finally {
    clearTimeout(timer)
  }
}
