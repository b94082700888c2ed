import { HeadlightError, InputError, PlaceError, SampleError, TransientError } from '../base/errors.ts'

/** What was tried, where, and what is known of the place: this decides whose fault a refusal is. */
export interface S3Attempt {
  /** To go after "cannot": `read s3://bucket/key`. */
  readonly doing: string
  /** Undefined: Amazon's own. */
  readonly endpoint: string | undefined
  /** During `check` a service that does not answer is the user's to correct, later it is bad weather. */
  readonly checking: boolean
  /** Whether the same operation has succeeded on this store before. */
  readonly worked: boolean
}

const refusals = new Set([
  'AccessDenied',
  'AccountProblem',
  'AllAccessDisabled',
  'AuthorizationQueryParametersError',
  'Forbidden',
  'InvalidAccessKeyId',
  'InvalidSecurity',
  'InvalidToken',
  'NotSignedUp',
  'SignatureDoesNotMatch',
  'UnauthorizedAccess',
])
/** Those of `refusals` that other credentials mend, whatever they may do. */
const unknownCredentials = new Set(['InvalidAccessKeyId', 'InvalidSecurity', 'InvalidToken', 'SignatureDoesNotMatch'])
/** Of the SDK, which has none. */
const missingCredentials = new Set(['CredentialsProviderError', 'TokenProviderError'])
const expirations = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'])
const redirections = new Set(['PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed'])
/** Amazon has no quota; Ceph, MinIO and others do. */
const fullDisks = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'StorageFull'])
const throttlings = new Set(['SlowDown', 'RequestTimeout', 'TooManyRequests', 'Throttling', 'ThrottlingException'])
/** What services say of a single key that they will not hold; repeated, it would be the same for ever. */
const badNames = new Set([
  'InvalidURI',
  'XMinioInvalidObjectName',
  'XMinioParentIsObject',
  'XMinioObjectExistsAsDirectory',
])
const untrusted = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_)/
const lost =
  /^(ENOTFOUND|EAI_|ECONN|EHOST|ENET|ETIMEDOUT|EPIPE|EPROTO|ERR_SSL_|ERR_STREAM_PREMATURE_CLOSE|HPE_|TimeoutError$)/

/** Fields of the SDK's errors that decide. */
export interface S3Failure {
  /** S3's error code (`NoSuchKey`), else the name of the error's class. */
  readonly name: string
  readonly status: number | undefined
  /** Node's code for a failed connection. */
  readonly errno: string | undefined
  /** How often the SDK sent the request. */
  readonly attempts: number
  /** The region that a redirection names. */
  readonly region: string | undefined
}

export function failureOf(error: unknown): S3Failure {
  const read = (value: unknown, field: string): unknown =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const metadata = read(error, '$metadata')
  const status = Number(read(metadata, 'httpStatusCode'))
  return {
    name: text(read(error, 'Code')) ?? text(read(error, 'name')) ?? 'Unknown',
    status: Number.isInteger(status) && status > 0 ? status : undefined,
    errno: text(read(error, 'code')),
    attempts: Number(read(metadata, 'attempts') ?? 1),
    region: text(read(error, 'Region')) ?? text(read(read(read(error, '$response'), 'headers'), 'x-amz-bucket-region')),
  }
}

/** The object is missing, while its bucket is there as far as the answer tells. */
export function isNoSuchObject({ name, status }: S3Failure): boolean {
  return name === 'NoSuchKey' || name === 'NotFound' || (status === 404 && name !== 'NoSuchBucket')
}

/** Whether other credentials might be taken: these have expired, or are none. */
export function refusesCredentials({ name, status }: S3Failure): boolean {
  if (expirations.has(name) || unknownCredentials.has(name) || missingCredentials.has(name)) return true
  // The answer to a HEAD has no body that would say more.
  return name === 'Unknown' && (status === 400 || status === 401 || status === 403)
}

/** The class of `errors.ts` that a failed request belongs to. A fault of the program comes back as it is. */
export function s3Error(error: unknown, attempt: S3Attempt): HeadlightError | Error {
  if (error instanceof HeadlightError) return error
  const { doing, endpoint, checking, worked } = attempt
  const service = endpoint ?? 'Amazon S3'
  const failure = failureOf(error)
  const { name, status, errno } = failure
  const cause = { cause: error }
  const said = error instanceof Error && error.message !== '' ? `: ${oneLine(error.message)}` : ''

  if (missingCredentials.has(name)) {
    const problem = `cannot ${doing}: no S3 credentials were found (${oneLine(String(said)).slice(2)})`
    return worked && !checking
      ? new PlaceError('credentials-expired', `${problem}; they worked before: renew them`, cause)
      : new InputError(
          'access-denied',
          `${problem}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role`,
          cause,
        )
  }
  if (error instanceof Error && error.message.includes('Region is missing')) {
    return new InputError('bad-option', `cannot ${doing}: no AWS region is known; set AWS_REGION`, cause)
  }
  if (name === 'NoSuchBucket') {
    return worked && !checking
      ? new PlaceError('store-gone', `cannot ${doing}: ${service} has lost the bucket, which was there before`, cause)
      : new InputError('no-such-bucket', `cannot ${doing}: ${service} has no such bucket; check its name`, cause)
  }
  if (name === 'NoSuchUpload') {
    return new PlaceError(
      'store-gone',
      `cannot ${doing}: ${service} has dropped what was uploaded so far; start the same command again`,
      cause,
    )
  }
  if (name === 'InvalidBucketName') {
    return new InputError('bad-uri', `cannot ${doing}: this is no valid name for a bucket`, cause)
  }
  if (expirations.has(name)) {
    return new PlaceError('credentials-expired', `cannot ${doing}: the credentials have expired; renew them`, cause)
  }
  if (name === 'RequestTimeTooSkewed') {
    return new PlaceError('credentials-expired', `cannot ${doing}: this machine's clock is wrong; set it`, cause)
  }
  if (fullDisks.has(name) || status === 507) {
    return new PlaceError('disk-full', `cannot ${doing}: ${service} has no room left (${name}); make room there`, cause)
  }
  if (name === 'InvalidObjectState') {
    // It comes with 403, but no right would help. Listings name a restored object's archive as before: only this tells.
    return new SampleError(
      'archived',
      `cannot ${doing}: the object lies in an archive (GLACIER, DEEP_ARCHIVE or kin); restore it, then start again`,
      cause,
    )
  }
  if (refusals.has(name) || status === 401 || status === 403) {
    return worked && !checking
      ? new PlaceError(
          'credentials-expired',
          `cannot ${doing}: ${service} refuses what it allowed before (${name})`,
          cause,
        )
      : new InputError(
          'access-denied',
          `cannot ${doing}: ${service} refuses it (${name}); check the credentials and what they may do`,
          cause,
        )
  }
  if (redirections.has(name) || status === 301 || status === 307) {
    const region = failure.region === undefined ? 'the one that it lies in' : `"${failure.region}"`
    return new InputError(
      'bad-option',
      `cannot ${doing}: the bucket lies in another region or at another endpoint; set AWS_REGION to ${region}`,
      cause,
    )
  }
  if (name === 'KeyTooLongError') {
    return new SampleError('bad-key', `cannot ${doing}: the key is longer than S3 takes; rename it`, cause)
  }
  if (badNames.has(name)) {
    return new SampleError('bad-key', `cannot ${doing}: ${service} takes no such key (${name}); rename it`, cause)
  }
  if (errno !== undefined && untrusted.test(errno) && (checking || !worked)) {
    return new InputError(
      'unreachable',
      `cannot ${doing}: the certificate of ${service} is not trusted (${errno}); name its authority in NODE_EXTRA_CA_CERTS`,
      cause,
    )
  }
  if (lost.test(errno ?? '') || lost.test(name) || (errno !== undefined && untrusted.test(errno))) {
    const why = errno ?? name
    const advice =
      endpoint === undefined ? 'check the network, or name another service with --s3-endpoint' : 'check the endpoint'
    return checking
      ? new InputError('unreachable', `cannot ${doing}: ${service} does not answer (${why}); ${advice}`, cause)
      : new TransientError('store-busy', `cannot ${doing}: the connection to ${service} failed (${why})`, cause)
  }
  if (throttlings.has(name) || status === 429 || (status !== undefined && status >= 500)) {
    return new TransientError('store-busy', `cannot ${doing}: ${service} asks for patience (${name})`, cause)
  }
  if (status === undefined) return error instanceof Error ? error : new Error(String(error))
  return checking
    ? new InputError(
        'unreachable',
        `cannot ${doing}: ${service} does not answer as S3 does (${status} ${name}${said}); check the endpoint`,
        cause,
      )
    : new TransientError('store-busy', `cannot ${doing}: ${service} answered ${status} ${name}${said}`, cause)
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 200)
}
