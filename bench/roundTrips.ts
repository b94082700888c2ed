import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { startS3Server } from '../test/support/s3Server.ts'
import { benchCredentials, headlight } from './headlightProcess.ts'
import { putImages } from './images.ts'
import { table } from './measure.ts'

const images = 96
const latencyMs = 50

/** What a distant S3 adds to a run: each request is answered 50 ms late, or at once. */
export async function benchRoundTrips(network: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'headlight-bench-'))
  try {
    const path = join(folder, basename(network))
    copyFileSync(network, path)
    const near = await measured(path, 0)
    const far = await measured(path, latencyMs)
    const rows = near.map(({ what, ms }, i) => {
      const { ms: farMs = 0, requests = 0, rounds = 0 } = far[i] ?? {}
      return [what, ms.toFixed(0), farMs.toFixed(0), (farMs - ms).toFixed(0), String(requests), String(rounds)]
    })
    const head = [`${images} images in S3`, 'ms, near', `ms, ${latencyMs} ms away`, 'added', 'requests', 'rounds']
    return table([head, ...rows])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Measured {
  readonly what: string
  readonly ms: number
  readonly requests: number
  /** How many times a request was begun later than a round trip after the last one that counted: at least so many in a row. */
  readonly rounds: number
}

async function measured(network: string, delayMs: number): Promise<Measured[]> {
  const s3 = await startS3Server(benchCredentials)
  try {
    putImages(s3, 'in/', images)
    let requests = 0
    let rounds = 0
    let until = -Infinity
    const late = () => {
      const now = performance.now()
      requests++
      if (now >= until) {
        rounds++
        until = now + delayMs
      }
      return delayMs > 0
    }
    s3.faults.push({ when: late, what: delayMs })
    const runs: Measured[] = []
    for (const what of ['first run', 'nothing changed']) {
      ;[requests, rounds, until] = [0, 0, -Infinity]
      const start = performance.now()
      await headlight([
        'run',
        '--quiet',
        '--log-level=silent',
        '--dataset=s3://bucket/in/',
        '--output=s3://bucket/out/',
        `--s3-endpoint=${s3.endpoint}`,
        `--network=${network}`,
      ])
      runs.push({ what, ms: performance.now() - start, requests, rounds })
    }
    return runs
  } finally {
    await s3.close()
  }
}
