/**
 * `npm run test:mutated-checkpoints [-- --count N --seed N --from N]`: checkpoints with something done to them, read,
 * recognised and built. Each must load or be refused in a sentence: no crash, no other error, no more than ten seconds of a
 * processor, no more than 2 GB.
 */
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Tried } from './child.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '0' },
    from: { type: 'string', default: '0' },
  },
})
const [count, seed, from] = [Number(values.count), Number(values.seed), Number(values.from)]
if (![count, seed, from].every(Number.isInteger)) throw new Error('--count, --seed and --from are whole numbers')

const limitMs = 10_000
const limitBytes = 2 * 2 ** 30
const verdicts = new Map<string, number>()
const wrong: string[] = []
let slowest = { cpuMs: 0, name: '' }
let peakBytes = 0

/** Tries mutants in a child until it ends; the index of the next one to try. */
function tryFrom(first: number): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(new URL('child.ts', import.meta.url), [first, count, seed].map(String), {
      execArgv: ['--import', 'tsx', '--max-old-space-size=2048'],
    })
    let at: Tried | undefined
    let timer: NodeJS.Timeout | undefined
    let hangs = false
    child.on('message', (tried: Tried) => {
      clearTimeout(timer)
      if (tried.verdict === undefined) {
        at = tried
        const before = cpuMsOf(child.pid)
        const look = (): void => {
          if (cpuMsOf(child.pid) - before < limitMs) {
            timer = setTimeout(look, limitMs / 10)
            return
          }
          hangs = true
          child.kill('SIGKILL')
        }
        timer = setTimeout(look, limitMs)
        return
      }
      at = undefined
      judge(tried)
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      if (at === undefined) {
        if (code !== 0) wrong.push(`the child ended with ${code ?? signal} between two mutants`)
        resolve(count)
        return
      }
      wrong.push(`${at.name} ${hangs ? `takes more than ${limitMs / 1000} s` : `ends the process (${code ?? signal})`}`)
      resolve(at.index + 1)
    })
  })
}

/** How long the processor has worked for a process; where the system does not tell, the time that has passed. */
function cpuMsOf(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // utime and stime, in hundredths of a second.
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return performance.now()
  }
}

function judge(tried: Tried): void {
  const { name, verdict = '', cpuMs = 0, wrong: error } = tried
  verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
  if (cpuMs > slowest.cpuMs) slowest = { cpuMs, name }
  if (error !== undefined) wrong.push(`${name}: ${error}`)
  const before = peakBytes
  peakBytes = Math.max(peakBytes, tried.peakBytes ?? 0)
  if (peakBytes > limitBytes && before <= limitBytes) wrong.push(`${name} takes more than ${limitBytes / 2 ** 30} GB`)
}

for (let next = from; next < count;) next = await tryFrom(next)

const say = (line: string): void => void process.stdout.write(`${line}\n`)
for (const line of wrong) say(line)
say(`${count - from} mutants of seed ${seed}:`)
for (const [verdict, times] of [...verdicts].toSorted(([, a], [, b]) => b - a)) say(`  ${verdict}: ${times}`)
say(`slowest ${(slowest.cpuMs / 1000).toFixed(2)} s (${slowest.name}), at most ${Math.round(peakBytes / 2 ** 20)} MiB`)
say(wrong.length === 0 ? 'each loads or is refused in a sentence' : `${wrong.length} do neither, or too slowly`)
process.exitCode = wrong.length === 0 ? 0 : 1
