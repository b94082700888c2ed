import type { Call } from '../command.ts'

const saidAfterMs = 2_000

/** Says what is waited for when it takes more than a moment: nobody knows otherwise whether anything is going on. */
export async function whileWaiting<T>({ display, settings }: Call, what: string, waited: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    if (!settings.quiet) display.write(`waiting for ${what} …`)
  }, saidAfterMs)
  try {
    return await waited
  } finally {
    clearTimeout(timer)
  }
}
