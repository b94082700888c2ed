import { isAbsolute } from 'node:path'
import { InputError, RefusalError } from '../base/errors.ts'
import { withoutPassword } from '../base/telemetry.ts'
import { openStore } from './open.ts'
import { place } from './place.ts'

/** A place as a job or a result set names it. */
export interface NamedPlace {
  /** For people: `output`, `dataset`, `network`. */
  readonly what: string
  readonly uri: string
  /** The S3 endpoint that stands beside it; it is not this process's own. */
  readonly endpoint?: string | null | undefined
}

/**
 * What a process may touch of what others name to it: the places at and below some prefixes, compared as whole parts of
 * a path and never as texts (`s3://heads` is no prefix of `s3://heads-secret/`). Nothing is opened to find out. Links
 * below an allowed folder are not looked at: who can make one there can copy a file there, too.
 */
export class AllowedPlaces {
  /** Canonical, each ending in `/`. */
  readonly #prefixes: readonly string[]

  /**
   * @param texts URIs or absolute paths, each text one or several by comma. InputError `bad-option` for what is neither:
   * half of a prefix that has a comma in it would else allow something else.
   */
  constructor(texts: readonly string[]) {
    this.#prefixes = texts.flatMap((text) => text.split(',')).map((text) => prefixOf(text.trim()))
  }

  /** Whether this place, a store or a single object, lies within. */
  allows(uri: string): boolean {
    const canonical = canonicalPlace(uri)
    return canonical !== undefined && this.#prefixes.some((prefix) => canonical.startsWith(prefix))
  }

  /**
   * Raises RefusalError `not-allowed`. An endpoint that stands in a job is another service, in which a bucket of an
   * allowed name may be anybody's, and which would be sent this process's session token: it counts only where this
   * process has one of its own, which takes its place.
   */
  require({ what, uri, endpoint }: NamedPlace, ownEndpoint: string | null | undefined): void {
    const shown = place(withoutPassword(uri))
    if (!this.allows(uri)) {
      const advice = 'allow it there, or leave it to others'
      throw new RefusalError('not-allowed', `the ${what} ${shown} lies outside of what --allow lists; ${advice}`)
    }
    if ((endpoint ?? undefined) === undefined || (ownEndpoint ?? undefined) !== undefined) return
    if (!uri.toLowerCase().startsWith('s3:')) return
    throw new RefusalError(
      'not-allowed',
      `the ${what} ${shown} is to be reached at ${withoutPassword(endpoint ?? '')}, which --allow does not follow; ` +
        'give --s3-endpoint here',
    )
  }
}

function prefixOf(text: string): string {
  const isUri = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const canonical = isUri || isAbsolute(text) ? canonicalPlace(text) : undefined
  if (canonical !== undefined) return canonical
  const forms = 's3://bucket/prefix/, an absolute path like /data/, or https://host/path of a webhook'
  throw new InputError('bad-option', `--allow cannot take "${withoutPassword(text)}": give ${forms}`)
}

/** With `/` at its end; undefined for what names no place, or not one alone. */
function canonicalPlace(uri: string): string | undefined {
  if (/^https?:/i.test(uri)) {
    if (!URL.canParse(uri)) return undefined
    const { origin, pathname } = new URL(uri)
    return withSlash(origin + pathname)
  }
  try {
    // Opens no connection. Percent-encoding and `..` of file URIs and paths are gone in what it says.
    const store = openStore(uri)
    store.close()
    // In a bucket `..` is a name like any other, until a proxy on the way takes it for the folder above.
    const [, ...parts] = store.uri.slice('s3://'.length, -1).split('/')
    const isOdd = store.uri.startsWith('s3:') && parts.some((part) => part === '' || part === '.' || part === '..')
    return isOdd ? undefined : store.uri
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

const withSlash = (uri: string): string => (uri.endsWith('/') ? uri : `${uri}/`)
