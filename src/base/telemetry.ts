import pino from 'pino'

export type Logger = pino.Logger

/** Takes one JSON line at a time, the line break at its end included. */
interface LogDestination {
  write(line: string): void
}

/**
 * Logs go to standard error, since standard output is for results; `destination` is where standard error is shared with
 * a progress line. Secrets are redacted by field name; URLs with passwords must be passed through `withoutPassword`
 * before they are logged.
 */
export function createLogger(
  level: 'debug' | 'info' | 'warn' | 'silent',
  destination: LogDestination = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      // As words, which every log viewer knows, where pino's own would be numbers of its own.
      formatters: { level: (label) => ({ level: label }) },
      redact: ['*.password', '*.secretAccessKey', '*.sessionToken', 'password', 'secretAccessKey', 'sessionToken'],
    },
    destination,
  )
}

/**
 * `rediss://user:secret@host` → `rediss://user:***@host`, `https://token@host` → `https://***@host`, `?password=secret` →
 * `?password=***`; text without any comes back unchanged. All up to the last `@` before the query goes, since a password
 * that was not escaped may hold `/` and `@` itself, and the query too where what follows a colon is no port: `?` then
 * stands in the password. Paths of `s3://` and `file://` hold `@` rightly, and stay.
 */
export function withoutPassword(text: string): string {
  return text
    .replace(/(\b(?:s3|file):\/\/)([^?\s/]*)@/gi, masked)
    .replace(/((?<!\bs3|\bfile):\/\/)([^\s/?#@[]*:(?!\d*(?:[/?#\s"]|$))\S*)@/gi, masked)
    .replace(/((?<!\bs3|\bfile):\/\/)([^?\s]*)@/gi, masked)
    .replace(/([?&](?:sentinel)?password=)[^&\s"]*/gi, '$1***')
}

function masked(_all: string, before: string, credentials: string): string {
  const colon = credentials.indexOf(':')
  return colon < 0 ? `${before}***@` : `${before}${credentials.slice(0, colon)}:***@`
}
