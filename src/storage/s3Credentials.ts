import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { loadSharedConfigFiles } from '@smithy/core/config'
import { failureOf, refusesCredentials } from './s3Errors.ts'

type Provider = S3Client['config']['credentials']
type Credentials = Awaited<ReturnType<Provider>>

/**
 * The credentials of the SDK's own chain, looked for again when the service refuses them. The SDK asks a source again
 * only when it was told when they expire; those that other programs renew in `~/.aws/credentials` have no such date, so
 * that it would keep the expired ones as long as the process lives. It also reads each file once per process.
 */
export class RenewedCredentials {
  /** Of a client, whose connections role sources use. */
  readonly #config: Pick<S3ClientConfig, 'region' | 'requestHandler'>
  #provider: Provider
  #renewing: Promise<boolean> | undefined

  constructor(config: Pick<S3ClientConfig, 'region' | 'requestHandler'>) {
    this.#config = config
    this.#provider = this.#chain()
  }

  /** For a client's configuration: the mark keeps the SDK from remembering what it was given. */
  get provider(): Provider {
    return Object.assign(() => this.#provider(), { memoized: true })
  }

  /** Lets each request that is refused for its credentials be sent once more, where others are found. */
  serve(client: S3Client): void {
    client.middlewareStack.add(
      (next) => async (args) => {
        const used = this.#provider
        try {
          return await next(args)
        } catch (error) {
          if (!refusesCredentials(failureOf(error))) throw error
          if (used === this.#provider && !(await this.#renewed())) throw error
          return await next(args)
        }
      },
      // Around all that the SDK does for a request: the one that is sent again must be signed anew.
      { step: 'initialize', priority: 'high', name: 'renewCredentials' },
    )
  }

  /** One look serves all requests that are refused at the same time. */
  #renewed(): Promise<boolean> {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined))
    return this.#renewing
  }

  async #renew(): Promise<boolean> {
    const refused = await found(this.#provider)
    await readFilesAnew()
    const provider = this.#chain()
    const fresh = await found(provider)
    if (fresh === undefined || (refused !== undefined && isSame(fresh, refused))) return false
    this.#provider = provider
    return true
  }

  #chain(): Provider {
    return new S3Client({ ...this.#config }).config.credentials
  }
}

/** Configuration and credentials files of the SDK are read again by who asks next. */
export async function readFilesAnew(): Promise<void> {
  await loadSharedConfigFiles({ ignoreCache: true })
}

/** Undefined where there are none: the request itself says why. */
async function found(provider: Provider): Promise<Credentials | undefined> {
  try {
    return await provider()
  } catch {
    return undefined
  }
}

function isSame(one: Credentials, other: Credentials): boolean {
  return (
    one.accessKeyId === other.accessKeyId &&
    one.secretAccessKey === other.secretAccessKey &&
    one.sessionToken === other.sessionToken
  )
}
