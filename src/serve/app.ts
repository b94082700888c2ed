import { createHash } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import { Hono, type Context as AnyContext } from 'hono'
import { compress } from 'hono/compress'
import { HeadlightError, InputError, PlaceError, SampleError, TransientError } from '../base/errors.ts'
import { judge, type Access } from './access/access.ts'
import { securityHeaders } from './access/headers.ts'
import type { Asset, Assets } from './assets.ts'
import { routes } from './routes.ts'
import type { Answer, Route, Served } from './routes/route.ts'
import { requireShown } from './routes/shownSet.ts'
import { selectionParameters } from './selection.ts'
import { plainPage, shell } from './shell.ts'

export interface AppOptions {
  readonly served: Served
  readonly access: Access
  readonly assets: Assets
}

/** With the connection itself: a file that fails midway can only break it off. */
interface Env {
  Bindings: HttpBindings
}
type Context = AnyContext<Env>

/** The web app: everything it answers, and to whom. Nothing of it writes. */
export function buildApp({ served, access, assets }: AppOptions): Hono<Env> {
  const app = new Hono<Env>({ strict: true })
  const { basePath } = access
  // Orchestrators and proxies ask by an address, without a token; all it says is that the process answers.
  app.get(`${basePath}/healthz`, (c) => c.text('alive\n'))
  app.use(async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value)
  })
  app.use(async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      return refused(c, 405, 'bad-option', 'headlight serve only shows: ask with GET.', { allow: 'GET, HEAD' })
    }
    const verdict = judge(access, c.req.raw)
    switch (verdict.kind) {
      case 'welcome':
        return await next()
      case 'enter':
        return c.body(null, 303, {
          location: verdict.address,
          'set-cookie': verdict.cookie,
          'cache-control': 'no-store',
        })
      case 'refused':
        return refused(c, verdict.status, 'access-denied', verdict.message)
    }
  })
  // What is text and soon there; a file of rows goes as it is made, and pictures are small already.
  app.use(`${basePath}/assets/*`, compress())
  app.use(`${basePath}/api/*`, compress({ contentTypeFilter: /^application\/json/ }))
  for (const asset of [assets.script, assets.style, assets.icon])
    app.get(`${basePath}${asset.path}`, (c) => sendAsset(c, asset))
  for (const route of routes) {
    app.get(`${basePath}${route.path}`, (c) => answered(c, route, served))
  }
  app.all(`${basePath}/api/*`, (c) => refused(c, 404, 'bad-option', 'There is no such address.'))
  app.all(`${basePath}/assets/*`, (c) => refused(c, 404, 'bad-option', 'There is no such file; load the page again.'))
  if (basePath !== '') app.get('/', (c) => c.redirect(`${basePath}/`, 302))
  app.get(`${basePath}/*`, (c) => c.html(shell(assets, basePath), 200, { 'cache-control': 'no-store' }))
  app.notFound((c) => refused(c, 404, 'bad-option', `headlight serve shows what lies below ${basePath}/.`))
  app.onError((error, c) => {
    if (c.req.raw.signal.aborted) return c.body(null, 503)
    const { status, code } = statusOf(error)
    if (status >= 500)
      served.log.warn({ err: error }, `${new URL(c.req.url).pathname} could not be answered: ${error.message}`)
    const message =
      error instanceof HeadlightError ? error.message : 'headlight serve met a fault of its own; its log says more.'
    return refused(c, status, code, message, mayAnswerSoon(error) ? { 'retry-after': '1' } : {})
  })
  return app
}

async function answered(c: Context, route: Route<unknown>, served: Served): Promise<Response> {
  const set = c.req.param('set') ?? ''
  if (c.req.param('set') !== undefined) await requireShown(served, set)
  const parameters = new URL(c.req.url).searchParams
  const own: Record<string, string> = {}
  for (const [name, value] of parameters) {
    if (route.takesSelection === true && selectionParameters.has(name)) continue
    own[name] = value
  }
  const query = route.query.safeParse(own)
  if (!query.success) {
    const [issue] = query.error.issues
    const place = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
    throw new InputError('bad-option', `${c.req.path} does not take this query: ${place}${issue?.message ?? ''}`)
  }
  const { signal } = c.req.raw
  return respond(c, await route.answer({ set, query: query.data, parameters, signal }, served), served)
}

function respond(c: Context, answer: Answer, served: Served): Response {
  switch (answer.kind) {
    case 'json':
      return c.json(answer.json as object, 200, { 'cache-control': 'no-store' })
    case 'waiting':
      return c.json({ waiting: answer.waiting }, 202, { 'cache-control': 'no-store' })
    case 'bytes': {
      const tag = `"${createHash('sha256').update(answer.bytes).digest('base64url')}"`
      const { keepSeconds } = answer
      const kept = keepSeconds === 0 ? 'no-cache' : `max-age=${keepSeconds}`
      const headers = { etag: tag, 'cache-control': `private, ${kept}` }
      if (namesTag(c.req.header('if-none-match'), tag)) return c.body(null, 304, headers)
      return c.body(Uint8Array.from(answer.bytes), 200, { ...headers, 'content-type': answer.contentType })
    }
    case 'file':
      return c.body(streamed(answer.chunks, c, served), 200, {
        'content-type': answer.contentType,
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(answer.fileName)}`,
        'cache-control': 'no-store',
      })
  }
}

/** Of an If-None-Match header. A proxy that compresses makes tags weak, and a browser may name several. */
function namesTag(header: string | undefined, tag: string): boolean {
  return (header ?? '').split(',').some((each) => each.trim().replace(/^W\//, '') === tag)
}

/**
 * Where a chunk fails, the connection is broken off, so that whoever fetches the file hears of it: an error of the stream
 * itself would be written behind the rows as text, and the file would end as if it were whole.
 */
function streamed(chunks: AsyncIterable<string>, c: Context, { log }: Served): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      try {
        const next = await iterator.next()
        if (next.done === true) controller.close()
        else controller.enqueue(encoder.encode(next.value))
      } catch (error) {
        if (!c.req.raw.signal.aborted) log.warn({ err: error }, `${c.req.path} was broken off midway`)
        c.env.outgoing.destroy()
        controller.close()
      }
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}

function sendAsset(c: Context, { text, contentType }: Asset): Response {
  return c.body(text, 200, { 'content-type': contentType, 'cache-control': 'private, max-age=31536000, immutable' })
}

/** Whether the app is to ask again by itself: a right or a bucket that is missing is still missing in a moment. */
function mayAnswerSoon(error: Error): boolean {
  return error instanceof TransientError || (error instanceof InputError && error.code === 'unreachable')
}

function statusOf(error: Error): { status: 400 | 404 | 500 | 503; code: string } {
  if (error instanceof TransientError || error instanceof PlaceError) return { status: 503, code: error.code }
  if (!(error instanceof HeadlightError)) return { status: 500, code: 'bug' }
  const isStore = ['unreachable', 'access-denied', 'no-such-bucket', 'held'].includes(error.code)
  if (isStore) return { status: 503, code: error.code }
  const isAbsent = error instanceof SampleError || error.code === 'no-such-run'
  return { status: isAbsent ? 404 : 400, code: error.code }
}

/** As a page for whoever opens an address, as JSON for the app. */
function refused(
  c: Context,
  status: 400 | 401 | 403 | 404 | 405 | 500 | 503,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const all = { ...headers, 'cache-control': 'no-store' }
  const wantsPage = (c.req.header('accept') ?? '').includes('text/html')
  return wantsPage ? c.html(plainPage(message), status, all) : c.json({ error: { code, message } }, status, all)
}
