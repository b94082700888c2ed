import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createLogger } from '../src/base/telemetry.ts'
import { automaticShardSize, partEntries, shardsOf } from '../src/output/manifest.ts'
import { ShardQueue } from '../src/producer/shardQueue.ts'
import { openPrivateRedis } from '../src/queue/privateRedis.ts'

/** Memory of a Redis that holds all shards of a run over so many keys at once, at the default shard size. */
export async function benchQueueMemory(keys: number): Promise<string> {
  const log = createLogger('silent')
  const stateFolder = await mkdtemp(join(tmpdir(), 'headlight-bench-'))
  const searchPath = process.env.PATH ?? ''
  const server = await openPrivateRedis({ stateFolder, output: 's3://bucket/output/', log, searchPath })
  const client = new Redis({ ...server.connection.redis })
  const usedMb = async (): Promise<number> =>
    Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]) / 1_000_000
  try {
    const empty = await usedMb()
    const queue = new ShardQueue({
      connection: server.connection,
      queueName: 'headlight-shards-v1',
      job: {
        run: '20261124T020000Z-4f9a1c',
        output: 's3://a-bucket-with-a-long-name/saliency/nightly/',
        endpoint: 'https://s3.eu-central-1.example.org',
        set: 'densenet121_hp-all-3f9c21d8',
      },
      listeners: { onResult: () => undefined, onProgress: () => undefined, onFailed: () => undefined },
      log,
    })
    const began = performance.now()
    let jobs = 0
    for (let part = 0; part * partEntries < keys; part++) {
      const count = Math.min(partEntries, keys - part * partEntries)
      const shards = shardsOf({ part, count, shardSize: automaticShardSize(count) })
      await queue.add(shards)
      jobs += shards.length
    }
    const seconds = (performance.now() - began) / 1000
    const facts = { jobs, seconds: Math.round(seconds * 10) / 10, redisMB: Math.round((await usedMb()) - empty) }
    await queue.close()
    return JSON.stringify({ case: 'all shards in the queue', ...facts })
  } finally {
    client.disconnect()
    await server.release()
    await rm(stateFolder, { recursive: true, force: true })
  }
}
