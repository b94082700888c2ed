import { InputError } from '../base/errors.ts'
import type { QueueConnection } from './redisUrl.ts'

/**
 * InputError `no-redis` for what a client said when it could not use the server of this connection: what is wrong, and what
 * to do about it.
 *
 * @param causes in the order in which they came up
 */
export function redisFault(
  { description, redis }: Pick<QueueConnection, 'description' | 'redis'>,
  causes: readonly unknown[],
): InputError {
  const text = causes
    .map((cause) =>
      cause instanceof Error ? `${'code' in cause ? String(cause.code) : ''} ${cause.message}` : String(cause),
    )
    .join('\n')
  const all = redis.sentinels === undefined ? sentences : [...ofSentinels, ...ofTheirPrimary, ...sentences]
  const [, sentence = 'cannot be used', end] = all.find(([pattern]) => pattern.test(text)) ?? []
  const detail = causes.find((cause) => cause instanceof Error && cause.message !== 'Connection is closed.')
  const said = end !== 'says it all' && detail instanceof Error ? ` (${detail.message.replaceAll('\n', ' ')})` : ''
  return new InputError('no-redis', `Redis at ${description} ${sentence}${said}`, { cause: causes.at(-1) })
}

type Sentences = readonly (readonly [RegExp, string, 'says it all'?])[]

/**
 * Before all others: what follows in them is about the sentinels, not the server. Their number of the attempt would make
 * every attempt another fault.
 */
const ofSentinels: Sentences = [
  [
    /All sentinels .*(WRONGPASS|NOAUTH|NOPERM)/s,
    'is not found, since its sentinels want another login; correct sentinelUser and sentinelPassword in the URL',
    'says it all',
  ],
  [
    /All sentinels (?!.*Last error)|No such master/s,
    'is not found, since its sentinels know no primary of that name; correct the name in the URL',
    'says it all',
  ],
  [
    /All sentinels .*ERR unknown command/s,
    'is not found, since what is named as its sentinels is none; give them, or redis:// where that is the server itself',
    'says it all',
  ],
  [/All sentinels /, 'is not found, since none of its sentinels answers; start them or correct the URL', 'says it all'],
]

/** What is nobody's mistake behind sentinels: it happens in every failover, and there is nothing to be done about it. */
const ofTheirPrimary: Sentences = [
  [
    /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|no reply|Socket timeout/,
    'has no primary now: the one that its sentinels name does not answer, and a new one is looked for',
    'says it all',
  ],
  [
    /READONLY|MASTERDOWN/,
    'has no primary now: the one that its sentinels name is a replica, and a new one is looked for',
    'says it all',
  ],
]

/** From the plainest symptom to the vaguest: a refused login also closes the connection. */
const sentences: Sentences = [
  [
    /WRONGPASS|invalid password|invalid username-password/i,
    'refuses the user or password; correct them in the URL',
    'says it all',
  ],
  // The server's own forty words are about a command that nobody has typed.
  [
    /NOAUTH/,
    'wants a password; put it into the URL, redis://user:password@host, best by way of HEADLIGHT_REDIS',
    'says it all',
  ],
  [/NOPERM/, 'does not allow this user to PING and INFO; widen its ACL'],
  [/DENIED/, 'is in protected mode and refuses other hosts; set a password on the server'],
  [
    /READONLY/,
    'is a replica, which takes no writes; give the URL of its primary, or of its sentinels (redis+sentinel://…)',
    'says it all',
  ],
  [/MISCONF/, 'cannot save its data and takes no writes; free space on its disk, its log says more', 'says it all'],
  [/\bOOM\b/, 'has no memory left and takes no writes; raise its maxmemory', 'says it all'],
  [/NOREPLICAS/, 'has fewer replicas than its min-replicas-to-write and takes no writes; start them', 'says it all'],
  [/LOADING|MASTERDOWN/, 'is still loading its data; try again in a moment'],
  [/DB index is out of range/i, 'has no such database; correct the number at the end of the URL'],
  [/ENOTFOUND|EAI_AGAIN/, 'has a host name that cannot be resolved; correct the URL'],
  [/ECONNREFUSED/, 'does not answer: nothing listens there; start it or correct the URL'],
  [/ENOENT/, 'does not answer: there is no such socket; start it or correct the path'],
  [/EACCES/, 'cannot be opened by this user; ask for access to its socket'],
  [/EHOSTUNREACH|ENETUNREACH/, 'does not answer; check host, port and firewall, or use rediss:// if it speaks TLS'],
  // One connects and hears nothing: who noticed it first, and after how long, would make it another fault each time.
  [
    /no reply|Socket timeout/,
    'does not answer; check host, port and firewall, or use rediss:// if it speaks TLS',
    'says it all',
  ],
  [/no TLS reply/, 'gives no TLS reply; check host, port and firewall, or use redis:// if it speaks none'],
  [
    /WRONG_VERSION_NUMBER|EPROTO|packet length too long|before secure TLS/i,
    'does not speak TLS; use redis:// instead of rediss://',
  ],
  [
    /SELF_SIGNED|UNABLE_TO_|CERT_|ALTNAME/,
    'has a certificate that this machine does not trust; name its CA in NODE_EXTRA_CA_CERTS',
  ],
  [/ECONNRESET|Connection is closed|EPIPE/i, 'hung up; if it speaks TLS, use rediss:// instead of redis://'],
]
