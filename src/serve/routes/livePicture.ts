import { z } from 'zod'
import { SampleError } from '../../base/errors.ts'
import { addresses } from '../addresses.ts'
import type { Route } from './route.ts'
import { runId } from './runQuery.ts'

const query = z.strictObject({ run: runId, image: z.string().min(1) })

/** A card of one of the last images of a run at work. Only of those: the key is looked up, never followed. */
export const livePictureRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.livePicture,
  query,
  async answer({ set: id, query: { run, image: key }, signal }, served) {
    const set = await served.setOf(id)
    const latest = served.live.latest(id, run, key)
    if (latest === undefined) throw new SampleError('vanished', 'it is none of the last images of the run any more')
    const picture = await served.pictures.draw({
      output: served.output,
      dataset: served.datasetOf(set),
      set,
      key,
      row: { status: 'ok', crop: latest.crop },
      kind: 'card',
      objective: set.options.objectives[0] ?? '',
      signal,
    })
    return { kind: 'bytes', ...picture, keepSeconds: 0 }
  },
}
