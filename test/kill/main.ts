/**
 * `npm run test:kill [-- --rounds 20 --seed N]`: runs that are killed, frozen and starved at random moments, each held
 * against a quiet one. A round that fails says its seed; `--rounds 1 --seed N` plays the same blows again, though not
 * to the millisecond.
 */
import { parseArgs } from 'node:util'
import { roundOf, type Round } from './round.ts'
import { Rounds } from './rounds.ts'

// As the command itself does: the SDK's advice to upgrade Node is none that its users asked for.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, seed: { type: 'string' }, verbose: { type: 'boolean' } },
})
const count = Number(values.rounds)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
if (!Number.isInteger(count) || !Number.isInteger(seed)) throw new Error('--rounds and --seed are whole numbers')

const say = (line: string): void => void process.stdout.write(`${line}\n`)
say(`${count} rounds from seed ${seed}`)
const rounds = new Rounds(seed)
let failures = 0
try {
  for (let i = 0; i < count; i++) {
    const round = roundOf(seed + i)
    const began = performance.now()
    try {
      const story = await rounds.play(round)
      const seconds = ((performance.now() - began) / 1000).toFixed(0)
      say(
        `round ${round.seed} (${kindsOf(round).join(', ')}): as the quiet run, ${seconds} s, ${story.length - 1} blows`,
      )
      if (values.verbose) for (const line of story) say(`  ${line}`)
    } catch (error) {
      failures++
      say(error instanceof Error ? error.message : String(error))
      say(`to play it again: npm run test:kill -- --rounds 1 --seed ${round.seed}`)
    }
  }
} finally {
  await rounds.close()
}
say(failures === 0 ? `all ${count} rounds as the quiet run` : `${failures} of ${count} rounds failed`)
process.exitCode = failures === 0 ? 0 : 1

function kindsOf({ store, programs, redis, isChanging, isKeeping, isUnread }: Round): readonly string[] {
  return [
    store,
    programs,
    ...(redis === 'alone' ? [] : [redis]),
    ...(isChanging ? ['changing'] : []),
    ...(isKeeping ? ['kept'] : []),
    ...(isUnread ? ['unread'] : []),
  ]
}
