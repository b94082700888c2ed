import { z } from 'zod'
import { addresses } from '../addresses.ts'
import type { Route } from './route.ts'

const query = z.strictObject({})

/** Runs and workers that are at work now. */
export const liveRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.live,
  query,
  async answer(_asked, { live }) {
    return { kind: 'json', json: await live.look() }
  },
}
