/**
 * Whether a URL may hold a password that is not percent-encoded: an @ stands behind its host. A / ? or # in a password
 * ends what a URL's reader takes for its host, so that a piece of the password becomes the host's name, which is then
 * looked up and written into messages. Such a URL must be refused, with nothing of it shown.
 */
export function hasLooseCredentials(url: string): boolean {
  // For http, readers take \ for /.
  const [, rest = ''] = /^(?:https?:[/\\]*[^/\\?#]*|[^:/?#]*:\/\/[^/?#]*)(.*)$/is.exec(url) ?? []
  return rest.includes('@')
}

/** What to do about it. */
export const encodeCredentials = 'write @ : / ? # % of a user or password as %40 %3A %2F %3F %23 %25'
