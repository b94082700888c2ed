/**
 * `npm run test:mutated [-- --python PYTHON --count N --seed N]`: images with something done to them, of each format,
 * held against Pillow. Without Python, against what Pillow said of the frozen ones. `--freeze --python PYTHON` asks it
 * about those again.
 */
import { parseArgs } from 'node:util'
import { formats, mutantsOf, verdictOf } from './mutants.ts'
import { Pillow } from './pillow.ts'
import { freeze, frozenCount, frozenVerdicts } from './verdicts.ts'

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    count: { type: 'string', default: String(frozenCount) },
    seed: { type: 'string', default: '0' },
    freeze: { type: 'boolean', default: false },
  },
})
const { python } = values
const [count, seed] = [Number(values.count), Number(values.seed)]
if (!Number.isInteger(count) || !Number.isInteger(seed)) throw new Error('--count and --seed are whole numbers')
if (python === undefined && (values.freeze || count > frozenCount || seed !== 0)) {
  throw new Error(`without --python PYTHON there are verdicts of seed 0 and ${frozenCount} mutants of a format alone`)
}
const say = (line: string): void => void process.stdout.write(`${line}\n`)
if (values.freeze && python !== undefined) await freeze(python)

const pillow = python === undefined ? undefined : new Pillow(python)
say(`Pillow ${(await pillow?.version()) ?? 'as frozen'}, ${count} mutants of each format from seed ${seed}`)
let wrong = 0
for (const format of formats) {
  const frozen = pillow ? [] : frozenVerdicts(format)
  const counts = { reads: 0, refuses: 0, refusedAlone: 0 }
  let index = 0
  for (const mutant of mutantsOf(format, count, seed)) {
    const pillowReads = (await pillow?.reads(mutant.bytes)) ?? frozen[index] ?? false
    index++
    const isRead = (await verdictOf(mutant)) === 'reads'
    if (isRead && pillowReads) counts.reads++
    else if (!isRead && !pillowReads) counts.refuses++
    else if (pillowReads) counts.refusedAlone++
    else {
      wrong++
      say(`${format}: ${mutant.name} is read here, and Pillow refuses it`)
    }
  }
  say(
    `${format}: ${counts.reads} read and ${counts.refuses} refused by both; ${counts.refusedAlone} refused here that Pillow reads`,
  )
}
pillow?.close()
say(wrong === 0 ? 'none is read here that Pillow refuses' : `${wrong} are read here that Pillow refuses`)
process.exitCode = wrong === 0 ? 0 : 1
