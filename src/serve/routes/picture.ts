import { z } from 'zod'
import { InputError, SampleError } from '../../base/errors.ts'
import { fateTexts } from '../../report/compare/fateTexts.ts'
import { addresses, pictureKinds } from '../addresses.ts'
import { fateOfRow } from '../pictures/fates.ts'
import type { Route } from './route.ts'
import { runId } from './runQuery.ts'

const query = z.strictObject({
  run: runId,
  image: z.string().min(1),
  show: z.enum(pictureKinds),
  objective: z.string().optional(),
})

/**
 * Long enough for going back and forth. Not for good: a run at work overwrites maps before it publishes its table, so for
 * a while this address may show the next night's map.
 */
const keepSeconds = 600

/** A picture of one row: it is looked up in the table, so no key from outside reaches a store. */
export const pictureRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.picture,
  query,
  async answer({ set: id, query: { run: asked, image: key, show: kind, objective: wanted }, signal }, served) {
    const [set, runs] = await Promise.all([served.setOf(id), served.runOf(id, asked)])
    const [first = ''] = set.options.objectives
    const objective = wanted ?? first
    if (!set.options.objectives.includes(objective)) {
      throw new InputError(
        'bad-option',
        `${id} has no maps of ${objective}; it has ${set.options.objectives.join(', ')}`,
      )
    }
    const table = await served.tables.of(id, runs.run)
    if ('waiting' in table) return { kind: 'waiting', ...table }
    const row = await table.drawn(key)
    if (row === null) throw new SampleError('vanished', `run ${runs.run} has no image ${key}`)
    if (kind !== 'image' && kind !== 'input') {
      const fate = await fateOfRow(served, id, runs, key, row.row)
      if (typeof fate !== 'string') return { kind: 'waiting', ...fate }
      if (fate !== 'stands') throw new SampleError('vanished', fateTexts[fate])
    }
    const dataset = served.datasetOf(set)
    const picture = await served.pictures.draw({
      output: served.output,
      dataset,
      set,
      key,
      row,
      kind,
      objective,
      signal,
    })
    return { kind: 'bytes', ...picture, keepSeconds }
  },
}
