import { once } from 'node:events'
import { InputError } from '../../../base/errors.ts'
import { runningPrivateRedis } from '../../../queue/privateRedis.ts'
import { redisConnection, type QueueConnection } from '../../../queue/redisUrl.ts'
import type { Access } from '../../../serve/access/access.ts'
import { standingToken } from '../../../serve/access/token.ts'
import { buildApp } from '../../../serve/app.ts'
import { readAssets } from '../../../serve/assets.ts'
import { listen } from '../../../serve/listen.ts'
import { ServedOutput } from '../../../serve/output.ts'
import { openStore } from '../../../storage/open.ts'
import type { Call } from '../../command.ts'
import { setFolder } from '../../shared/setFolder.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'

/** Serves the web app until SIGTERM or SIGINT. Exit code 0. */
export async function serve(call: Call): Promise<number> {
  const { operands, settings, surroundings, folders, display, log } = call
  const access = await accessOf(call)
  const assets = await readAssets()
  const stop = stopOnSignal(surroundings, '', () => display.write('stopping'))
  const options = { endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint, logger: log }
  const given = openStore(operands[0] ?? '', options)
  try {
    await given.check('read')
    const set = await setFolder(given)
    const output = set === null ? given : openStore(set.output, options)
    const served = new ServedOutput({
      output,
      onlySet: set?.id ?? null,
      findRedis: redisOf(call, output.uri),
      cacheFolder: folders.cache,
      datasetEndpoint: settings.s3Endpoint,
      headlightVersion: surroundings.version,
      log,
    })
    try {
      const app = buildApp({ served, access, assets })
      const listening = await listen(app, settings.host, settings.port)
      say(call, access, listening.port)
      if (!stop.signal.aborted) await once(stop.signal, 'abort')
      await listening.close()
      return 0
    } finally {
      await served.close()
      output.close()
    }
  } finally {
    given.close()
    stop.done()
  }
}

/** The given Redis, else the private one of a run of this output on this machine, as long as it runs. */
function redisOf({ settings, folders }: Call, output: string): () => Promise<QueueConnection | undefined> {
  if (settings.redis === undefined) return () => runningPrivateRedis({ stateFolder: folders.state, output })
  const given = redisConnection(settings.redis)
  return () => Promise.resolve(given)
}

async function accessOf({ settings, folders }: Call): Promise<Access> {
  const allowedHosts = hostNames(settings.allowHost)
  if (settings.behindProxy && allowedHosts.length === 0) {
    throw new InputError(
      'bad-option',
      '--behind-proxy needs --allow-host, the name by which browsers call the proxy: without it a page from elsewhere could read along',
    )
  }
  const token = settings.behindProxy ? null : await standingToken(folders.state, new Date())
  return { token, allowedHosts, basePath: settings.basePath ?? '' }
}

function hostNames(given: string | readonly string[] | undefined): string[] {
  const names = (typeof given === 'string' ? given.split(',') : (given ?? [])).map((name) => name.trim().toLowerCase())
  const wrong = names.find((name) => !/^([a-z0-9._-]+|\[[\da-f:.]+\])$/.test(name))
  if (wrong === undefined) return names
  throw new InputError(
    'bad-option',
    `--allow-host: ${wrong} is no host name; write heads.example.org, without scheme and port`,
  )
}

/** Where to look. The token is shown here and nowhere else: no log line has it. */
function say({ settings, surroundings, operands }: Call, access: Access, port: number): void {
  const host = settings.host === '0.0.0.0' || settings.host === '::' ? 'localhost' : settings.host
  const shown = host === '127.0.0.1' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const secret = access.token === null ? '' : `?token=${access.token.text}`
  const address = `http://${shown}:${port}${access.basePath}/${secret}`
  if (settings.json) {
    surroundings.results.write(`${JSON.stringify({ address, port })}\n`)
    return
  }
  surroundings.results.write(`${address}\n`)
  if (settings.quiet) return
  const { token, allowedHosts } = access
  if (token === null) {
    surroundings.messages.write(
      `Let the proxy pass requests for ${allowedHosts[0]}${access.basePath}/ on to this address, with their Host header; it decides who may look at ${operands[0]}. Ctrl-C ends the command.\n`,
    )
    return
  }
  // The same token serves the next start, too: the address does not end with the command.
  const until = token.until.toISOString().slice(0, 10)
  surroundings.messages.write(
    `Open this address in a browser to see ${operands[0]}. Whoever has it may look while the command runs, also when you start it again, until ${until}. Ctrl-C ends the command.\n` +
      `From another machine: ssh -L ${port}:localhost:${port} THIS-MACHINE, then open the same address there.\n`,
  )
}
