import { isIP } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } from '@smithy/core/config'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { readFilesAnew, RenewedCredentials } from './s3Credentials.ts'
import { serviceUrl } from './serviceUrl.ts'

export interface S3ConnectionOptions {
  /** URL of a service other than Amazon's. */
  readonly endpoint?: string | undefined
  /** Default: environment, profile, role of the machine; with an endpoint environment, profile, `us-east-1`. */
  readonly region?: string | undefined
  /** Default: the SDK's own chain (environment, profile, role of the machine), asked again when what it gave is refused. */
  readonly credentials?:
    { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | undefined
  /** How long a connection may stay without a byte in either direction. Default: 30 s. */
  readonly silenceTimeoutMs?: number | undefined
  /** How long the answer to one read or listing may take to begin, the SDK's own repetitions included. Default: 45 s. */
  readonly answerTimeoutMs?: number | undefined
}

const connectTimeoutMs = 5_000
/** A big object on a slow line is no reason to give up. */
const silenceTimeoutMs = 30_000

/**
 * Steps of each request that serve Amazon's statistics and Lambda, a quarter of the CPU time that a request costs.
 * (`cacheMiddleware` would save as much again, but in this SDK lets a list grow by one entry with each request.)
 */
const needlessSteps = [
  'getUserAgentMiddleware',
  'recursionDetectionMiddleware',
  'loggerMiddleware',
  'addExpectContinueMiddleware',
]

/** A client, and the URL of the service that it asks; undefined for Amazon's own. */
export interface ConfiguredS3Client {
  readonly client: S3Client
  readonly endpoint: string | undefined
}

/** The SDK's client, set up so that it works with Amazon, Ceph, MinIO and kin alike. */
export async function createS3Client(options: S3ConnectionOptions): Promise<ConfiguredS3Client> {
  // A process that stands for weeks opens stores again and again, and a file may have changed since.
  await readFilesAnew()
  const endpoint = options.endpoint ?? (await configuredEndpoint())
  const region = options.region ?? configuredRegion(endpoint)
  const agent = { keepAlive: true, maxSockets: 64 }
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: connectTimeoutMs,
    socketTimeout: options.silenceTimeoutMs ?? silenceTimeoutMs,
    httpAgent: agent,
    httpsAgent: agent,
  })
  const renewed = new RenewedCredentials({ region, requestHandler })
  const client = new S3Client({
    ...(endpoint !== undefined && {
      endpoint,
      forcePathStyle: options.endpoint !== undefined || !takesPrefix(new URL(endpoint).hostname),
    }),
    region,
    credentials: options.credentials ?? renewed.provider,
    followRegionRedirects: endpoint === undefined,
    // The SDK's own checksums are refused or ignored by many services and cost CPU. A whole buffer's SHA-256 is part of
    // the signature anyway, so what arrives broken is refused.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Its `Expect: 100-continue` opens a new connection for each big object.
    expectContinueHeader: false,
    retryMode: 'standard',
    maxAttempts: 5,
    requestHandler,
  })
  if (options.credentials === undefined) renewed.serve(client)
  for (const step of needlessSteps) client.middlewareStack.remove(step)
  return { client, endpoint }
}

/**
 * What `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or the profile name. Any client of the SDK finds it with its first
 * request; but by then it has been built for Amazon, whose region and style of addresses need not be that service's.
 */
async function configuredEndpoint(): Promise<string | undefined> {
  const client = new S3Client({ region: 'us-east-1' })
  try {
    const endpoint = await client.config.serviceConfiguredEndpoint?.()
    return endpoint === undefined ? undefined : serviceUrl(endpoint)
  } finally {
    client.destroy()
  }
}

/**
 * The SDK's own chain, and `AWS_DEFAULT_REGION`, which most other tools of Amazon's know. Another service is not asked
 * for in the region that this machine happens to run in.
 */
function configuredRegion(endpoint: string | undefined): () => Promise<string> {
  return loadConfig<string>(
    {
      environmentVariableSelector: (env) => firstGiven(env['AWS_REGION'], env['AWS_DEFAULT_REGION']),
      configFileSelector: (profile) => firstGiven(profile['region']),
      default: endpoint === undefined ? NODE_REGION_CONFIG_OPTIONS.default : 'us-east-1',
    },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  )
}

function firstGiven(...texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((text) => text !== undefined && text !== '')
}

/** Whether `bucket.` may go before the host: a name that a DNS server answers for, with everything below it. */
function takesPrefix(host: string): boolean {
  return isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0 && host.includes('.') && !host.endsWith('.localhost')
}
