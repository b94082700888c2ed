import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { addresses } from '../../src/serve/addresses.ts'
import type { Measure } from '../../src/serve/measures.ts'
import { everything, type Selection } from '../../src/serve/selection.ts'
import type { RowsReply } from '../../src/serve/wire.ts'
import { parsed, UsageError } from '../gpu/usage.ts'
import { machine, median, table } from '../measure.ts'
import { syntheticSet } from '../syntheticRun.ts'
import { picturedSubject, run, setId, syntheticResultSet, type SyntheticOutput } from './resultSet.ts'
import { s3Copy } from './s3Copy.ts'
import { Server, type Answer } from './server.ts'

const help = `Measures headlight serve over a made-up result set, which is made once.

  npm run bench -- serve

  --rows N          rows of the result set (default: 1000000)
  --folder FOLDER   where it is made and kept (default: headlight-bench-serve in the folder for temporary files)
`

/** Cards of one screen, and of how many screens the time is taken. */
const cards = 60
const screens = 4

/** `npm run bench -- serve`; gives the exit code. */
export async function benchServe(args: readonly string[]): Promise<number> {
  const { values: o } = parsed({
    args: [...args],
    options: {
      rows: { type: 'string', default: '1000000' },
      folder: { type: 'string', default: join(tmpdir(), 'headlight-bench-serve') },
      help: { type: 'boolean', default: false },
    },
  })
  if (o.help) {
    console.log(help)
    return 0
  }
  const rows = Number(o.rows)
  if (!Number.isSafeInteger(rows) || rows < 1) throw new UsageError(`--rows ${o.rows}: a whole number from 1 up`)
  const made = await syntheticResultSet(rows, join(o.folder, String(rows)))
  console.log(`${machine()}; load ${load()}`)
  const kept = mkdtempSync(join(tmpdir(), 'headlight-bench-'))
  try {
    const lines = [...(await overFolder(made, kept)), ...(await overS3(made, kept))]
    console.log(table([[`serve, ${rows.toLocaleString('en')} rows`, 'ms', 'least', 'most'], ...lines]))
    console.log(`load ${load()}`)
  } finally {
    rmSync(kept, { recursive: true, force: true })
  }
  return 0
}

type Line = readonly string[]

async function overFolder({ output }: SyntheticOutput, folder: string): Promise<Line[]> {
  const lines: Line[] = []
  const first = await Server.start(output, { folder })
  lines.push(timed('first view of the set', [(await first.get(addresses.setReply(setId, null))).ms]))
  const atlas = addresses.atlasPicture(setId, run, 'mean', syntheticSet.options.objectives[0] ?? '')
  lines.push(timed('its atlas', [(await first.get(atlas)).ms]))
  const indexed = await first.get(rowsOf(everything))
  lines.push(timed(`index, first rows shown (${progressText(indexed)})`, [indexed.ms]))
  const atIndex = first.residentMb()
  // The arrays are written to the cache before questions are answered.
  await first.stop()

  const server = await Server.start(output, { folder })
  try {
    lines.push(timed('reopened, first rows shown', [(await server.get(rowsOf(everything))).ms]))
    const { now: reopened } = server.residentMb()
    const each = async (name: string, paths: readonly string[]): Promise<void> => {
      const ms: number[] = []
      for (const path of paths) ms.push((await server.get(path)).ms)
      lines.push(timed(name, ms))
    }
    // Every one of them is another, so that none is answered by what was kept.
    const filters = [-60, -45, -30, 15, 40].map((from) => ranged({ poseYaw: { from, to: from + 30 } }))
    await each('filter by a range, rows', filters.map(rowsOf))
    const others = [-59, -44, -29, 16, 41].map((from) => ranged({ poseYaw: { from, to: from + 30 } }))
    await each('filter by a range, facets', others.map(facetsOf))
    const sorts: Measure[] = ['meanError', 'absErrorYaw', 'errorPitch', 'yawTopProbability', 'poseYaw']
    await each(
      'new sort, rows',
      sorts.map((sort) => rowsOf({ ...everything, sort, isDescending: true })),
    )
    await each(
      'the same sort, filtered, rows',
      [-10, 0, 10].map((from) =>
        rowsOf({ ...ranged({ posePitch: { from, to: 90 } }), sort: 'poseYaw', isDescending: true }),
      ),
    )
    await each(
      'key contains, rows',
      ['frame_0001', '7.PNG', '399/09', 'none such'].map((key) => rowsOf({ ...everything, key })),
    )
    const sorted: Selection = { ...everything, sort: 'poseYaw', isDescending: true }
    await each(
      'a page of the same rows',
      [60, 6_000, 600].map((from) => addresses.rowsReply(setId, null, sorted, from, cards)),
    )
    await each(
      'one image with its neighbours',
      (await shown(server)).slice(0, 5).map((key) => addresses.sampleReply(setId, run, key, everything, null)),
    )
    lines.push(timed(`${cards} cards from a folder`, await cardScreens(server)))
    // What was garbage a moment ago is given back.
    await delay(3_000)
    const after = server.residentMb()
    const megabytes = (value: number) => value.toFixed(0)
    lines.push(
      ['', 'MB', '', ''],
      ['resident after the index', megabytes(atIndex.now), '', megabytes(atIndex.peak)],
      ['resident after it was reopened', megabytes(reopened), '', ''],
      ['resident after all of this', megabytes(after.now), '', megabytes(after.peak)],
    )
    return lines
  } finally {
    await server.stop()
  }
}

async function overS3(made: SyntheticOutput, folder: string): Promise<Line[]> {
  const local = await Server.start(made.output, { folder })
  const keys = await shown(local)
  await local.stop()
  const copy = await s3Copy(made, keys)
  try {
    const { output, options, env } = copy
    const server = await Server.start(output, { folder: join(folder, 's3'), options, env })
    try {
      return [
        timed('from S3: first view of the set', [(await server.get(addresses.setReply(setId, null))).ms]),
        timed('from S3: index', [(await server.get(rowsOf(everything))).ms]),
        timed(`from S3: ${cards} cards`, await cardScreens(server)),
      ]
    } finally {
      await server.stop()
    }
  } finally {
    await copy.close()
  }
}

/** Keys of the images that the screens of cards show: those that are off by most. */
async function shown(server: Server): Promise<string[]> {
  const worst: Selection = {
    ...everything,
    subjects: [picturedSubject],
    status: 'ok',
    sort: 'meanError',
    isDescending: true,
  }
  const { bytes } = await server.get(addresses.rowsReply(setId, null, worst, 0, cards * screens))
  return (JSON.parse(bytes.toString()) as RowsReply).rows.map(({ key }) => key)
}

async function cardScreens(server: Server): Promise<number[]> {
  const keys = await shown(server)
  const ms: number[] = []
  for (let at = 0; at < keys.length; at += cards) {
    const paths = keys.slice(at, at + cards).map((key) => addresses.picture(setId, run, key, 'card'))
    ms.push(await server.getAll(paths))
  }
  return ms
}

function ranged(ranges: Selection['ranges']): Selection {
  return { ...everything, ranges }
}

function rowsOf(selection: Selection): string {
  return addresses.rowsReply(setId, null, selection, 0, cards)
}

function facetsOf(selection: Selection): string {
  return addresses.facetsReply(setId, null, selection)
}

function timed(name: string, ms: readonly number[]): Line {
  const whole = (value: number) => value.toFixed(0)
  return [name, whole(median(ms)), ...(ms.length === 1 ? ['', ''] : [whole(Math.min(...ms)), whole(Math.max(...ms))])]
}

function progressText({ progress }: Answer): string {
  return `${new Set(progress).size} steps told meanwhile`
}

function load(): string {
  return loadavg()
    .map((value) => value.toFixed(2))
    .join(' ')
}
