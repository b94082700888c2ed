import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { z } from 'zod'
import { PlaceError } from '../../base/errors.ts'
import { layout } from '../../output/layout.ts'
import { manifestEntrySchema, manifestHeaderSchema, type ManifestEntry } from '../../output/manifest.ts'
import type { ShardJob } from '../../queue/jobs.ts'
import type { Store } from '../../storage/store.ts'

const gunzipped = promisify(gunzip)

/** A part holds up to some 16,000 lines, and its shards come one after another: two parts cover a change of part. */
const keptParts = 2

/** Reads shards' slices of manifest parts; keeps the last parts unzipped, since many shards share one. */
export class ManifestSlices {
  readonly #lines = new Map<string, Promise<string[]>>()

  /** The entries of one shard. Raises PlaceError when the part is missing or is not what the job says. */
  async read(output: Store, job: ShardJob): Promise<ManifestEntry[]> {
    const key = layout.manifestPart(job.set, job.run, job.part)
    const lines = await this.#part(output, key)
    const slice = lines.slice(1 + job.offset, 1 + job.offset + job.count)
    if (slice.length !== job.count)
      throw new PlaceError(
        'store-gone',
        `${output.uri}${key} has ${lines.length - 1} entries, fewer than the job's ${job.offset + job.count}: ` +
          'the output is not the one that the run was listed into',
      )
    // Only this slice is parsed: parsing the whole part for each shard would cost more than fetching it.
    return z.array(manifestEntrySchema).parse(slice.map((line): unknown => JSON.parse(line)))
  }

  #part(output: Store, key: string): Promise<string[]> {
    const name = output.uri + key
    const known = this.#lines.get(name)
    if (known) return known
    const read = readPart(output, key)
    this.#lines.set(name, read)
    read.catch(() => this.#lines.delete(name))
    for (const old of this.#lines.keys()) {
      if (this.#lines.size <= keptParts) break
      this.#lines.delete(old)
    }
    return read
  }
}

async function readPart(output: Store, key: string): Promise<string[]> {
  const found = await output.get(key)
  if (!found)
    throw new PlaceError(
      'store-gone',
      `${output.uri}${key} is missing: the output is not reachable as a whole from here`,
    )
  const text = (await gunzipped(found.bytes)).toString('utf8')
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  manifestHeaderSchema.parse(JSON.parse(lines[0] ?? ''))
  return lines
}
