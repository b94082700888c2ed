import { execFile, spawn } from 'node:child_process'

type Environment = Readonly<Record<string, string | undefined>>

/** What `nvidia-smi` tells of one GPU; strings as it writes them. */
export interface CardFacts {
  readonly name: string
  readonly driver: string
  readonly computeCapability: string
  readonly memoryMb: number
}

/** One look at a GPU. `busyPercent` is the share of the time since the look before in which a kernel ran. */
export interface CardSample {
  readonly atMs: number
  readonly busyPercent: number
  readonly usedMb: number
}

const program = 'nvidia-smi'
const sampleEveryMs = 200

/** The GPUs that there are, or the one that is named; empty where `nvidia-smi` is not found or fails. */
export async function cards(environment: Environment, device?: string): Promise<CardFacts[]> {
  const printed = await query('name,driver_version,compute_cap,memory.total', environment, device)
  return printed.map(([name = '', driver = '', computeCapability = '', memory = '']) => ({
    name,
    driver,
    computeCapability,
    memoryMb: Number(memory),
  }))
}

async function query(fields: string, environment: Environment, device?: string): Promise<string[][]> {
  const args = [
    `--query-gpu=${fields}`,
    '--format=csv,noheader,nounits',
    ...(device === undefined ? [] : ['-i', device]),
  ]
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 20_000, env: { ...environment } }, (error, stdout) => {
      resolve(error === null ? rows(stdout) : [])
    })
  })
}

const rows = (printed: string): string[][] =>
  printed
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((cell) => cell.trim()))

/** Looks at a GPU five times a second until `stop`. Without one there are no samples. */
export function sampleCard(
  device: string | null,
  environment: Environment,
): { readonly samples: readonly CardSample[]; stop: () => void } {
  const samples: CardSample[] = []
  if (device === null) return { samples, stop: () => undefined }
  const fields = '--query-gpu=utilization.gpu,memory.used'
  const args = [fields, '--format=csv,noheader,nounits', '-i', device, '-lms', String(sampleEveryMs)]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...environment } })
  child.on('error', () => undefined)
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const [busy, used] of rows(lines.join('\n'))) {
      samples.push({ atMs: performance.now(), busyPercent: Number(busy), usedMb: Number(used) })
    }
  })
  return { samples, stop: () => void child.kill() }
}
