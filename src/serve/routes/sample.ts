import { z } from 'zod'
import { SampleError } from '../../base/errors.ts'
import { withoutPassword } from '../../base/telemetry.ts'
import { imageKeyOf } from '../../dataset/adapter.ts'
import { openAdapter } from '../../dataset/adapters.ts'
import { layout } from '../../output/layout.ts'
import type { Cell } from '../../output/tableColumns.ts'
import { angleNames, type AngleName } from '../../pose/euler.ts'
import { place } from '../../storage/place.ts'
import { addresses } from '../addresses.ts'
import { explainCommand } from '../pictures/explainCommand.ts'
import { fateOfRow } from '../pictures/fates.ts'
import { inputSize } from '../pictures/inputSize.ts'
import { wantedObjective } from '../wantedObjective.ts'
import type { SampleReply } from '../wire.ts'
import type { Route } from './route.ts'
import { runId } from './runQuery.ts'
import { selected } from './selected.ts'

/** Neighbours in pose that are shown. */
const neighbours = 12

/** What is not kept in memory of each row. The others are not read: the keys of maps alone are most of a table. */
const storedColumns = [
  'message',
  'frame',
  'imageWidth',
  'imageHeight',
  ...angleNames.flatMap((angle) => [
    `${angle}TopBin`,
    `${angle}TopProbability`,
    `${angle}BinsStd`,
    `${angle}BinsEntropy`,
  ]),
]

const query = z.strictObject({ run: runId, image: z.string().min(1), objective: z.string().optional() })

/** All that is known of one image in one run. */
export const sampleRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.sample,
  query,
  takesSelection: true,
  async answer({ set: id, query: { run: asked, image: key, objective }, parameters }, served) {
    const selection = selected(parameters)
    const [set, runs] = await Promise.all([served.setOf(id), served.runOf(id, asked)])
    const table = await served.tables.of(id, runs.run)
    if ('waiting' in table) return { kind: 'waiting', ...table }
    const [facts, drawn] = await Promise.all([table.row(key), table.drawn(key)])
    if (facts === null || drawn === null) {
      throw new SampleError(
        'vanished',
        `run ${runs.run} has no image ${key}; look for it among the images, or in another run`,
      )
    }
    const [cells, fate, position, near] = await Promise.all([
      served.storedRows.row(id, runs.run, drawn.row, storedColumns),
      fateOfRow(served, id, runs, key, drawn.row),
      table.positionOf(selection, key),
      table.neighbours(key, neighbours),
    ])
    if (typeof fate !== 'string') return { kind: 'waiting', ...fate }
    const text = (name: string) => textOf(cells.get(name))
    const [width, height] = [numberOf(cells.get('imageWidth')), numberOf(cells.get('imageHeight'))]
    const { objectives, adapter } = set.options
    const wanted = wantedObjective(objectives, objective ?? null) ?? 'sum'
    const reply: SampleReply = {
      ...runs,
      objectives,
      row: facts,
      message: text('message'),
      frame: text('frame'),
      imageSize: width === null || height === null ? null : { width, height },
      inputSize: inputSize(set),
      crop: drawn.crop,
      bins: angleNames.flatMap((angle) => binsOf(angle, (name) => numberOf(cells.get(name)))),
      // The key is no part of what is decoded: it may hold a % of its own.
      imageUri: `${place(withoutPassword(set.dataset.uri))}${imageKeyOf(openAdapter(adapter), key)}`,
      maps: objectives.map((each) => ({
        objective: each,
        uri: `${place(withoutPassword(served.output.uri))}${id}/${layout.map(each, key)}`,
        fate: facts.status === 'failed' ? 'none' : fate,
      })),
      explain: explainCommand(withoutPassword(served.output.uri), set, key, wanted),
      position,
      neighbours: near,
    }
    return { kind: 'json', json: reply }
  },
}

function binsOf(angle: AngleName, number: (column: string) => number | null): SampleReply['bins'][number][] {
  const topBin = number(`${angle}TopBin`)
  const topProbability = number(`${angle}TopProbability`)
  const std = number(`${angle}BinsStd`)
  const entropy = number(`${angle}BinsEntropy`)
  if (topBin === null || topProbability === null || std === null || entropy === null) return []
  return [{ angle, topBin, topProbability, std, entropy }]
}

function textOf(cell: Cell | undefined): string | null {
  return typeof cell === 'string' ? cell : null
}

function numberOf(cell: Cell | undefined): number | null {
  return typeof cell === 'number' ? cell : null
}
