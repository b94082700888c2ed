import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startS3Server } from '../test/support/s3Server.ts'
import { table } from './measure.ts'

const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const source = fileURLToPath(new URL('../test/images/BIWI00000001_-17_+1_+17.png', import.meta.url))
const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' }
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
  const s3 = await startS3Server(credentials)
  try {
    for (let i = 0; i < images; i++) s3.put(`in/frame_${String(i).padStart(5, '0')}.png`, readFileSync(source))
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
      await run(['--s3-endpoint', s3.endpoint, '--network', network])
      runs.push({ what, ms: performance.now() - start, requests, rounds })
    }
    return runs
  } finally {
    await s3.close()
  }
}

function run(options: readonly string[]): Promise<void> {
  const places = ['--dataset', 's3://bucket/in/', '--output', 's3://bucket/out/']
  const { accessKeyId, secretAccessKey } = credentials
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, 'run', '--quiet', '--log-level', 'silent', ...places, ...options], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`headlight run ended with code ${code}`))
    })
  })
}
