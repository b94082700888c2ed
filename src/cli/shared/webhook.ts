import type { Summary } from '../../output/summary.ts'
import { sendWebhook } from '../../producer/webhook.ts'
import type { Call } from '../command.ts'

/** Signs webhooks. Read from the environment alone: as a flag or in a config file others would see it. */
export function webhookSecret({ surroundings }: Call): string | undefined {
  return surroundings.environment['HEADLIGHT_WEBHOOK_SECRET']
}

/** Tells the webhook of `--webhook`, when there is one, how a run ended. */
export async function tellWebhook(call: Call, summary: Summary): Promise<void> {
  const { settings, log } = call
  if (settings.webhook === undefined) return
  const outcome = summary.state === 'cancelled' ? 'cancelled' : 'completed'
  const message = { schedule: null, outcome, message: null, summary } as const
  await sendWebhook({ url: settings.webhook, secret: webhookSecret(call), message, log })
}
