/**
 * A headlight process as the tests of the private Redis need it: opens it, says so, and lets go of it when told to.
 *
 * Arguments: state folder, output URI, search path. Writes `open PID-OF-THE-SERVER` or `failed SENTENCE`; `release` on
 * standard input makes it let go, write `released` and end.
 */
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { createLogger } from '../../src/base/telemetry.ts'
import { openPrivateRedis } from '../../src/queue/privateRedis.ts'

const [stateFolder = '', output = '', searchPath = ''] = process.argv.slice(2)
try {
  const redis = await openPrivateRedis({ stateFolder, output, searchPath, log: createLogger('silent') })
  const client = new Redis(redis.connection.redis)
  const pid = /process_id:(\d+)/.exec(await client.info('server'))?.[1]
  client.disconnect()
  process.stdout.write(`open ${pid}\n`)
  for await (const line of createInterface({ input: process.stdin })) if (line === 'release') break
  await redis.release()
  process.stdout.write('released\n')
  process.exit(0)
} catch (error) {
  process.stdout.write(`failed ${String(error)}\n`)
  process.exit(1)
}
