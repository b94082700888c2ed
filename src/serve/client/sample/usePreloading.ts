import { useEffect } from 'preact/hooks'
import { addresses } from '../../addresses.ts'
import type { Selection } from '../../selection.ts'
import { wantedObjective } from '../../wantedObjective.ts'
import type { SampleReply } from '../../wire.ts'
import { ask } from '../ask.ts'
import { href } from '../navigation.ts'
import { picturesOf } from './pictures.tsx'

/**
 * Fetches the pictures of the image that a reader will most likely turn to, so that they are there when asked for. What of
 * it has none is not asked for: the browser would complain of every one.
 */
export function usePreloading(
  set: string,
  run: string,
  next: string | null,
  selection: Selection,
  wanted: string | null,
): void {
  const address = next === null ? null : addresses.sampleReply(set, run, next, selection, wanted)
  useEffect(() => {
    if (address === null) return
    const abort = new AbortController()
    const fetched: HTMLImageElement[] = []
    ask<SampleReply>(address, abort.signal)
      .then((reply) => {
        const shown = picturesOf(set, reply, wantedObjective(reply.objectives, wanted) ?? '')
        for (const picture of Object.values(shown)) {
          if (picture === null) continue
          const image = new Image()
          image.src = href(picture)
          fetched.push(image)
        }
      })
      // The reader hears of it on going there.
      .catch(() => undefined)
    return () => {
      abort.abort()
      for (const image of fetched) image.src = ''
    }
  }, [address])
}
