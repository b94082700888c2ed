import { createHmac } from 'node:crypto'
import { backoffMs, pause, type Backoff } from '../base/backoff.ts'
import type { Logger } from '../base/telemetry.ts'
import type { Summary } from '../output/summary.ts'
import type { ScheduleOutcome } from '../queue/schedule.ts'

/** The body of a webhook, as JSON. */
export interface WebhookMessage {
  /** Name of the schedule that the run belongs to; null for any other run. */
  readonly schedule: string | null
  readonly outcome: ScheduleOutcome['outcome']
  /** Why it was skipped or failed. */
  readonly message: string | null
  /** Of a run that was closed. */
  readonly summary: Summary | null
}

export interface WebhookOptions {
  readonly url: string
  /** Signs the body: header `X-Headlight-Signature: sha256=…`, the HMAC-SHA256 in hex. */
  readonly secret: string | undefined
  readonly message: WebhookMessage
  readonly log: Logger
  readonly retrying?: Backoff
}

const attempts = 6
const defaultRetrying: Backoff = { firstMs: 1_000, longestMs: 16_000 }
const answerTimeoutMs = 10_000

/**
 * POSTs the outcome of a run. No answer, and answers that may be another one in a moment (408, 429, 5xx), are tried
 * again for about half a minute. What cannot be delivered is logged, and fails nothing: the run is done.
 */
export async function sendWebhook(options: WebhookOptions): Promise<void> {
  const { url, secret, message, log, retrying = defaultRetrying } = options
  const body = JSON.stringify(message)
  const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'headlight' }
  if (secret !== undefined && secret !== '') {
    headers['x-headlight-signature'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  }
  const target = new URL(url)
  const { username, password } = target
  if (username !== '' || password !== '') {
    headers['authorization'] = `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`
    // fetch refuses a URL with a password, in words that repeat it.
    target.username = ''
    target.password = ''
  }
  // The path of such a URL is often a secret itself.
  const { host } = target
  for (let attempt = 1; ; attempt++) {
    const problem = await post(target, headers, body)
    if (problem === null) return
    if (!problem.mayPass || attempt === attempts) {
      log.warn({ host, attempts: attempt }, `the webhook could not be delivered: ${problem.said}`)
      return
    }
    await pause(backoffMs(retrying, attempt))
  }
}

/** What is escaped wrongly is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
): Promise<{ said: string; mayPass: boolean } | null> {
  try {
    const signal = AbortSignal.timeout(answerTimeoutMs)
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
    await answer.body?.cancel()
    if (answer.ok) return null
    const { status } = answer
    return { said: `status ${status}`, mayPass: status === 408 || status === 429 || status >= 500 }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return { said: cause instanceof Error ? cause.message : String(cause), mayPass: true }
  }
}
