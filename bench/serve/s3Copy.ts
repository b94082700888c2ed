import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { printJson } from '../../src/output/jsonObject.ts'
import { layout } from '../../src/output/layout.ts'
import { startS3Server } from '../../test/support/s3Server.ts'
import { benchCredentials } from '../headlightProcess.ts'
import { syntheticSet } from '../syntheticRun.ts'
import { run, setId, setOver, type SyntheticOutput } from './resultSet.ts'

export interface S3Copy {
  /** What `headlight serve` is given. */
  readonly output: string
  readonly options: readonly string[]
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** The result set in the test S3 of this process, of its images and maps those of some keys. */
export async function s3Copy({ output, dataset }: SyntheticOutput, keys: readonly string[]): Promise<S3Copy> {
  const s3 = await startS3Server(benchCredentials)
  const files = [layout.summary, layout.runTable, layout.aggregates, layout.atlas, layout.run].map((of) =>
    of(setId, run),
  )
  const maps = keys.flatMap((key) => syntheticSet.options.objectives.map((objective) => layout.map(objective, key)))
  for (const key of [layout.current(setId), ...files, ...maps.map((map) => `${setId}/${map}`)]) {
    s3.put(`output/${key}`, await readFile(join(output, key)))
  }
  for (const key of keys) s3.put(`dataset/${key}`, await readFile(join(dataset, key)))
  s3.put(`output/${layout.set(setId)}`, Buffer.from(printJson(setOver('s3://bucket/dataset/', s3.endpoint))))
  return {
    output: 's3://bucket/output/',
    options: ['--s3-endpoint', s3.endpoint],
    env: { AWS_ACCESS_KEY_ID: benchCredentials.accessKeyId, AWS_SECRET_ACCESS_KEY: benchCredentials.secretAccessKey },
    close: () => s3.close(),
  }
}
