import { PlaceError } from '../../base/errors.ts'
import { layout } from '../../output/layout.ts'
import { Manifest, type ManifestEntry, type ManifestPart } from '../../output/manifest.ts'
import type { ShardJob } from '../../queue/jobs.ts'
import type { Store } from '../../storage/store.ts'

/** A part holds up to some 16,000 lines, and its shards come one after another: two parts cover a change of part. */
const keptParts = 2

/** Reads shards' slices of manifest parts; keeps the last parts unzipped, since many shards share one. */
export class ManifestSlices {
  readonly #parts = new Map<string, Promise<ManifestPart>>()

  /** The entries of one shard. Raises PlaceError when the part is missing or is not what the job says. */
  async read(output: Store, job: ShardJob): Promise<ManifestEntry[]> {
    const name = partName(output, job)
    const part = await this.#part(output, job, name)
    const end = job.offset + job.count
    if (part.entryCount < end)
      throw new PlaceError(
        'store-gone',
        `${name} has ${part.entryCount} entries, fewer than the job's ${end}: ` +
          'the output is not the one that the run was listed into',
      )
    // Only this slice is parsed: parsing the whole part for each shard would cost more than fetching it.
    return part.entries(job.offset, end)
  }

  #part(output: Store, job: ShardJob, name: string): Promise<ManifestPart> {
    const known = this.#parts.get(name)
    if (known) return known
    const read = readPart(output, job)
    this.#parts.set(name, read)
    read.catch(() => this.#parts.delete(name))
    for (const old of this.#parts.keys()) {
      if (this.#parts.size <= keptParts) break
      this.#parts.delete(old)
    }
    return read
  }
}

async function readPart(output: Store, job: ShardJob): Promise<ManifestPart> {
  const found = await new Manifest(output, job.set, job.run).part(job.part)
  if (!found)
    throw new PlaceError(
      'store-gone',
      `${partName(output, job)} is missing: the output is not reachable as a whole from here`,
    )
  return found
}

function partName(output: Store, { set, run, part }: ShardJob): string {
  return `${output.uri}${layout.manifestPart(set, run, part)}`
}
