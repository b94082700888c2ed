import pino from 'pino'

export type Logger = pino.Logger

/**
 * Logs go to standard error, since standard output is for results. Secrets are redacted by field name; URLs with
 * passwords must be passed through `withoutPassword` before they are logged.
 */
export function createLogger(level: 'debug' | 'info' | 'warn' | 'silent'): Logger {
  return pino(
    {
      level,
      base: null,
      redact: ['*.password', '*.secretAccessKey', '*.sessionToken', 'password', 'secretAccessKey', 'sessionToken'],
    },
    pino.destination({ dest: 2, sync: true }),
  )
}

/** `rediss://user:secret@host` → `rediss://user:***@host`; text that is no URL comes back unchanged. */
export function withoutPassword(url: string): string {
  return url.replace(/(:\/\/[^/@:]*:)[^@/]*@/, '$1***@')
}
