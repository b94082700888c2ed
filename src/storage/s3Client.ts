import { S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'

export interface S3ClientOptions {
  /** URL of a service other than Amazon's. */
  readonly endpoint?: string | undefined
  /** Default: the SDK's own (environment, profile); `us-east-1` with an endpoint, where most services do not care. */
  readonly region?: string | undefined
  /** Default: the SDK's own chain (environment, profile, role of the machine). */
  readonly credentials?:
    { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | undefined
}

const connectTimeoutMs = 5_000
/** Without a byte in either direction; a big object on a slow line is no reason to give up. */
const silenceTimeoutMs = 30_000

/** The SDK's client, set up so that it works with Amazon, Ceph, MinIO and kin alike. */
export function createS3Client(options: S3ClientOptions): S3Client {
  const agent = { keepAlive: true, maxSockets: 64 }
  return new S3Client({
    ...(options.endpoint !== undefined && { endpoint: options.endpoint, forcePathStyle: true }),
    ...(options.endpoint !== undefined || options.region !== undefined
      ? { region: options.region ?? 'us-east-1' }
      : {}),
    ...(options.credentials !== undefined && { credentials: options.credentials }),
    followRegionRedirects: options.endpoint === undefined,
    // The SDK's own checksums are refused or ignored by many services and cost CPU. A whole buffer's SHA-256 is part of
    // the signature anyway, so what arrives broken is refused.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Its `Expect: 100-continue` opens a new connection for each big object.
    expectContinueHeader: false,
    retryMode: 'standard',
    maxAttempts: 5,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectTimeoutMs,
      socketTimeout: silenceTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    }),
  })
}
