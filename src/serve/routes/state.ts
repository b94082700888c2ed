import { z } from 'zod'
import { currentRun } from '../../output/current.ts'
import { addresses } from '../addresses.ts'
import type { StateReply } from '../wire.ts'
import type { Route } from './route.ts'

const query = z.strictObject({})

/** Which run's table is the state now: a page that is open asks every few seconds. */
export const stateRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.state,
  query,
  async answer({ set }, { output }) {
    return { kind: 'json', json: { stateRun: await currentRun(output, set) } satisfies StateReply }
  },
}
