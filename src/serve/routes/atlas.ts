import { z } from 'zod'
import { InputError } from '../../base/errors.ts'
import { addresses } from '../addresses.ts'
import type { Route } from './route.ts'
import { runId } from './runQuery.ts'

const query = z.strictObject({
  run: runId,
  view: z.enum(['mean', 'difference', 'input']),
  objective: z.string().optional(),
})

/** All tiles of one view of an atlas, as one picture. */
export const atlasRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.atlas,
  query,
  async answer({ set, query: { run, view, objective = null } }, { atlases }) {
    const webp = await atlases.picture(set, run, view, objective)
    if (webp === null) throw new InputError('no-such-run', `run ${run} of ${set} has no such atlas`)
    // The address names the run, and no other run writes its atlas.
    return { kind: 'bytes', bytes: webp, contentType: 'image/webp', keepSeconds: 86_400 }
  },
}
