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
      redact: ['*.password', '*.secretAccessKey', '*.sessionToken', 'password', 'secretAccessKey', 'sessionToken'],
    },
    destination,
  )
}

/** `rediss://user:secret@host` → `rediss://user:***@host`; text that is no URL comes back unchanged. */
export function withoutPassword(url: string): string {
  return url.replace(/(:\/\/[^/@:]*:)[^@/]*@/, '$1***@')
}
