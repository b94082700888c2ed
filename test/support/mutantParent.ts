import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Tried } from './mutantChild.ts'

const limitMs = 10_000
const limitBytes = 2 * 2 ** 30

/**
 * Tries mutants in processes that run `child` (see `mutantChild.ts`), prints what became of them, and sets the exit code.
 * Each must load or be refused in a sentence: no crash, no other error, no more than ten seconds of a processor, no more than
 * 2 GB. Takes `--count`, `--seed` and `--from` from the command line.
 */
export async function judgeMutants(child: URL): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '0' },
      from: { type: 'string', default: '0' },
    },
  })
  const [count, seed, from] = [Number(values.count), Number(values.seed), Number(values.from)]
  if (![count, seed, from].every(Number.isInteger)) throw new Error('--count, --seed and --from are whole numbers')
  const judge = new Judge()
  for (let next = from; next < count;) next = await tryFrom(next, { child, count, seed, judge })
  for (const line of judge.lines(`${count - from} mutants of seed ${seed}:`)) process.stdout.write(`${line}\n`)
  process.exitCode = judge.wrong.length === 0 ? 0 : 1
}

class Judge {
  readonly wrong: string[] = []
  readonly #verdicts = new Map<string, number>()
  #slowest = { cpuMs: 0, name: '' }
  #peakBytes = 0

  judge({ name, verdict = '', cpuMs = 0, peakBytes = 0, wrong }: Tried): void {
    this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + 1)
    if (cpuMs > this.#slowest.cpuMs) this.#slowest = { cpuMs, name }
    this.#peakBytes = Math.max(this.#peakBytes, peakBytes)
    if (wrong !== undefined) this.wrong.push(`${name}: ${wrong}`)
    if (cpuMs > limitMs) this.wrong.push(`${name} takes ${(cpuMs / 1000).toFixed(1)} s`)
    if (peakBytes > limitBytes) this.wrong.push(`${name} takes ${(peakBytes / 2 ** 30).toFixed(1)} GB`)
  }

  lines(title: string): string[] {
    const { cpuMs, name } = this.#slowest
    return [
      ...this.wrong,
      title,
      ...[...this.#verdicts].toSorted(([, a], [, b]) => b - a).map(([verdict, times]) => `  ${verdict}: ${times}`),
      `slowest ${(cpuMs / 1000).toFixed(2)} s (${name}), at most ${Math.round(this.#peakBytes / 2 ** 20)} MiB`,
      this.wrong.length === 0
        ? 'each loads or is refused in a sentence'
        : `${this.wrong.length} do neither, or too slowly`,
    ]
  }
}

interface Attempt {
  readonly child: URL
  readonly count: number
  readonly seed: number
  readonly judge: Judge
}

/** Tries mutants in a process until it ends; the index of the next one to try. */
function tryFrom(first: number, { child: url, count, seed, judge }: Attempt): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(url, [first, count, seed, limitBytes].map(String), {
      execArgv: ['--import', 'tsx', '--max-old-space-size=2048'],
    })
    let at: Tried | undefined
    let next = first
    let timer: NodeJS.Timeout | undefined
    let hangs = false
    child.on('message', (tried: Tried) => {
      clearTimeout(timer)
      next = tried.index + 1
      if (tried.verdict !== undefined) {
        at = undefined
        judge.judge(tried)
        return
      }
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
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      const how = code ?? signal
      if (at !== undefined) {
        judge.wrong.push(`${at.name} ${hangs ? `takes more than ${limitMs / 1000} s` : `ends the process (${how})`}`)
        resolve(next)
      } else if (code === 0) resolve(next)
      else {
        judge.wrong.push(`the child ended with ${how} between two mutants`)
        resolve(count)
      }
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
