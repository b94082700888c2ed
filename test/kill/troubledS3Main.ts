/**
 * An S3 service that has bad days, as a program of its own so that the harness' pauses are not its pauses:
 * `node --import tsx troubledS3Main.ts '{"accessKeyId": "…", "secretAccessKey": "…", "seed": 1}'` prints its endpoint.
 * Each line on its standard input says how it is from now on: `calm`, `troubled` or `out`. On its standard output it says
 * how many record files each output has, as a JSON object, whenever that changes.
 */
import { createInterface } from 'node:readline'
import { startS3Server, type Fault } from '../support/s3Server.ts'
import type { S3Credentials } from '../support/s3Signature.ts'
import { Random } from './random.ts'

export type ServiceState = 'calm' | 'troubled' | 'out'

const { seed, ...credentials } = JSON.parse(process.argv[2] ?? '') as S3Credentials & { seed: number }
const random = new Random(seed)
const server = await startS3Server(credentials)

const sometimes = (share: number, what: Fault['what']): Fault => ({ when: () => random.unit() < share, what })
const states: Readonly<Record<ServiceState, readonly Fault[]>> = {
  calm: [],
  troubled: [
    sometimes(0.04, 'slow-down'),
    sometimes(0.03, 'internal-error'),
    sometimes(0.03, 'reset'),
    sometimes(0.03, 'lose-answer'),
    sometimes(0.02, 'truncate'),
    sometimes(0.1, 50),
    sometimes(0.02, 800),
  ],
  out: [{ when: () => true, what: 'slow-down' }],
}
createInterface({ input: process.stdin }).on('line', (line) => {
  server.faults.splice(0, Infinity, ...(states[line as ServiceState] ?? []))
})
process.stdout.write(`${server.endpoint}\n`)

let said = ''
setInterval(() => {
  const committed: Record<string, number> = {}
  for (const key of server.objects().keys()) {
    const output = /^([^/]+)\/.*\/records\/.*\.jsonl$/.exec(key)?.[1]
    if (output !== undefined) committed[output] = (committed[output] ?? 0) + 1
  }
  const line = JSON.stringify(committed)
  if (line !== said) process.stdout.write(`${line}\n`)
  said = line
}, 100)
