import type { QueueConnection } from '../../queue/redisUrl.ts'
import type { Call } from '../command.ts'
import { required } from '../settings/commandFlags.ts'
import { whileWaiting } from './waiting.ts'

/** The Redis of `--redis`, looked at once so that a wrong URL is said before anything is written. */
export async function givenRedis(call: Call, command: string): Promise<QueueConnection> {
  const url = required(call.settings, 'redis', command)
  const [{ checkRedis }, { redisConnection }] = await Promise.all([
    import('../../queue/checkRedis.ts'),
    import('../../queue/redisUrl.ts'),
  ])
  const connection = redisConnection(url)
  const { warning } = await whileWaiting(call, `Redis at ${connection.description}`, checkRedis(connection))
  if (warning) call.log.warn(warning)
  return connection
}

/** The Redis of `--redis`, else the private one of this output. `release` must be called. */
export async function queueServer(
  call: Call,
  output: string,
): Promise<{ connection: QueueConnection; release: () => Promise<void> }> {
  if (call.settings.redis !== undefined) {
    return { connection: await givenRedis(call, 'run'), release: () => Promise.resolve() }
  }
  const { openPrivateRedis } = await import('../../queue/privateRedis.ts')
  const opening = openPrivateRedis({
    stateFolder: call.folders.state,
    output,
    onUnpack: () => {
      if (!call.settings.quiet) call.display.write(unpacking)
    },
    log: call.log,
    searchPath: call.surroundings.environment['PATH'] ?? '',
  })
  return whileWaiting(call, 'the private Redis server', opening)
}

const unpacking = "no redis-server is installed: unpacking the distribution's, once, which may take half a minute"
