import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { Random } from './random.ts'
import type { ServiceState } from './troubledS3Main.ts'

export const imageCount = 160
export const shardSize = 8
export const shardCount = imageCount / shardSize

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }
const checkpoint = fileURLToPath(new URL('../checkpoints/tiny_hp.pkl', import.meta.url))
const script = fileURLToPath(new URL('troubledS3Main.ts', import.meta.url))

/** Where the rounds on one kind of store take place: its dataset and network, and the service behind it. */
export class Place {
  readonly kind: 'folder' | 's3'
  /** Of the rounds whose dataset stays; `quietRun` fills it. */
  readonly dataset: string
  readonly network: string
  /** For the environment of every program that reads or writes here. */
  readonly environment: Readonly<Record<string, string>>
  readonly #folder: string
  readonly #service: Service | undefined

  private constructor(kind: Place['kind'], folder: string, service?: Service) {
    this.kind = kind
    this.#folder = folder
    this.#service = service
    this.network = join(folder, 'small_hp.pkl')
    this.dataset = kind === 's3' ? 's3://bucket/images/' : join(folder, 'images')
    this.environment = {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: 'us-east-1',
      ...(service === undefined ? {} : { HEADLIGHT_S3_ENDPOINT: service.endpoint }),
    }
  }

  static async make(kind: Place['kind'], seed: number): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), 'headlight-kill-'))
    const place = new Place(kind, folder, kind === 's3' ? await Service.start(seed) : undefined)
    await copyFile(checkpoint, place.network)
    await writeFile(`${place.network}.yaml`, 'input: { width: 32, height: 32 }\n')
    return place
  }

  /** A URI for a dataset of a round's own. */
  ownDataset(name: string): string {
    return this.kind === 's3' ? `s3://bucket/${name}-images/` : join(this.#folder, `${name}-images`)
  }

  async fill(uri: string): Promise<void> {
    if (this.kind === 'folder') await mkdir(uri)
    const dataset = this.open(uri)
    for await (const [key, bytes] of images()) await dataset.put(key, bytes)
    dataset.close()
  }

  /** A URI that no round has written to. */
  output(name: string): string {
    return this.kind === 's3' ? `s3://bucket/${name}/` : join(this.#folder, name)
  }

  open(uri: string): Store {
    return openStore(uri, { endpoint: this.#service?.endpoint, credentials })
  }

  /** A folder on this machine, for what belongs to a round but not into its output. */
  scratch(name: string): string {
    const folder = join(this.#folder, `${name}-scratch`)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  /** How many record files lie in an output. */
  committed(name: string): number {
    if (this.#service !== undefined) return this.#service.committed[name] ?? 0
    const below = (folder: string): string[] => {
      try {
        return readdirSync(folder).map((entry) => join(folder, entry))
      } catch {
        return []
      }
    }
    const runs = below(join(this.#folder, name)).flatMap((set) => below(join(set, 'runs')))
    return runs.flatMap((run) => below(join(run, 'records'))).filter((file) => file.endsWith('.jsonl')).length
  }

  /** How the service behaves from now on; a folder is always calm. */
  become(state: ServiceState): void {
    this.#service?.become(state)
  }

  async close(): Promise<void> {
    this.#service?.end()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** The other end of troubledS3Main.ts. */
class Service {
  readonly endpoint: string
  committed: Readonly<Record<string, number>> = {}
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, endpoint: string) {
    this.endpoint = endpoint
    this.#process = child
  }

  static async start(seed: number): Promise<Service> {
    const args = ['--import', 'tsx', script, JSON.stringify({ ...credentials, seed })]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: dirname(script) })
    const lines = createInterface({ input: child.stdout })
    const [endpoint] = (await once(lines, 'line')) as [string]
    const service = new Service(child, endpoint)
    lines.on('line', (line) => (service.committed = JSON.parse(line) as Record<string, number>))
    return service
  }

  become(state: ServiceState): void {
    this.#process.stdin?.write(`${state}\n`)
  }

  end(): void {
    this.#process.kill('SIGKILL')
  }
}

/** Small pictures that differ, some with a pose in their names, and now and then one that cannot be read. */
async function* images(): AsyncGenerator<[key: string, bytes: Buffer]> {
  const random = new Random(1)
  for (let i = 0; i < imageCount; i++) {
    const [width, height] = [random.integer(30, 60), random.integer(30, 60)]
    const pixels = Buffer.alloc(width * height * 3)
    const [across, down, tint] = [random.between(1, 9), random.between(1, 9), random.unit()]
    for (let at = 0; at < pixels.length; at++) {
      const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)]
      pixels[at] = 128 + 90 * Math.sin((x * across) / width + tint * (at % 3)) * Math.cos((y * down) / height)
    }
    const png = await encoded(pixels, width, height)
    const pose = i % 3 === 0 ? '' : `_${i % 2 === 0 ? '+' : '-'}${i % 70}_+${i % 40}_-${i % 20}`
    const name = `subject ${i % 7}/frame${String(i).padStart(5, '0')}${pose}.png`
    yield [name, i % 41 === 5 ? Buffer.alloc(0) : i % 41 === 17 ? png.subarray(0, png.length / 2) : png]
  }
}

/** A small picture of one colour. */
export function plainImage(level: number): Promise<Buffer> {
  return encoded(Buffer.alloc(40 * 40 * 3, level), 40, 40)
}

function encoded(pixels: Buffer, width: number, height: number): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
}
