import type { Token } from './token.ts'

/** Who may look at the app. */
export interface Access {
  /** Null behind a proxy that asks for names and passwords itself. */
  readonly token: Token | null
  /** Host names, lower case, without ports, by which the app may be called besides this machine's own. */
  readonly allowedHosts: readonly string[]
  /** `/headlight`, where a proxy serves it there; else empty. */
  readonly basePath: string
}

export type Verdict =
  | { readonly kind: 'welcome' }
  /** The address holds the right token: set the cookie, and go to the same address without it. */
  | { readonly kind: 'enter'; readonly cookie: string; readonly address: string }
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly message: string }

/** This machine by its own names. The port is not looked at: `ssh -L` makes another of it. */
const loopbackHosts = ['localhost', '127.0.0.1', '[::1]']

/**
 * Judges a request by its Host header, its address and its cookies. The host first: a page from elsewhere whose name is
 * made to lead to this machine (DNS rebinding) is to learn nothing at all.
 */
export function judge(access: Access, request: Request, now = new Date()): Verdict {
  const host = request.headers.get('host') ?? ''
  const [, name = '', port = ''] = /^(\[[\da-f:.]+\]|[^:]*)(?::(\d+))?$/i.exec(host) ?? []
  const known = access.token === null ? access.allowedHosts : [...loopbackHosts, ...access.allowedHosts]
  if (!known.includes(name.toLowerCase())) {
    return {
      kind: 'refused',
      status: 403,
      message: 'headlight serve does not go by this host name; --allow-host names further ones.',
    }
  }
  const { token } = access
  if (token === null) return { kind: 'welcome' }
  // Browsers share cookies over all ports of a host: without the port two servers would overwrite each other's.
  const cookieName = `headlight-${port === '' ? '80' : port}`
  const url = new URL(request.url)
  const given = url.searchParams.get('token')
  if (given !== null && token.matches(given, now)) {
    url.searchParams.delete('token')
    const seconds = Math.floor((token.until.getTime() - now.getTime()) / 1_000)
    const cookie = `${cookieName}=${token.text}; Path=${access.basePath}/; Max-Age=${seconds}; HttpOnly; SameSite=Lax`
    // A browser takes a path that begins with two slashes for the address of another host.
    return { kind: 'enter', cookie, address: `${url.pathname.replace(/^\/+/, '/')}${url.search}` }
  }
  if (cookiesOf(request, cookieName).some((guess) => token.matches(guess, now))) return { kind: 'welcome' }
  return {
    kind: 'refused',
    status: 401,
    message: 'Open the address that headlight serve printed when it started: it holds the token that lets you in.',
  }
}

function cookiesOf(request: Request, name: string): string[] {
  return (request.headers.get('cookie') ?? '').split(';').flatMap((part) => {
    const at = part.indexOf('=')
    return part.slice(0, at).trim() === name ? [part.slice(at + 1).trim()] : []
  })
}
