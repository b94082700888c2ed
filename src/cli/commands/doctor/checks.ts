import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, availableParallelism, platform, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { findExecutable } from '../../../base/executable.ts'
import { withoutPassword } from '../../../base/telemetry.ts'
import { engineFacts, type EngineStatus } from '../../../machine/engineStatus.ts'
import { checkRedis } from '../../../queue/checkRedis.ts'
import { findRedisProgram } from '../../../queue/redisProgram.ts'
import { redisConnection } from '../../../queue/redisUrl.ts'

const run = promisify(execFile)

export interface DoctorOptions {
  readonly headlightVersion: string
  readonly stateFolder: string
  readonly cacheFolder: string
  readonly homeFolder: string
  /** PATH to look for programs in. */
  readonly searchPath: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Tries the engines, each in a process of its own. */
  readonly engines: () => Promise<readonly EngineStatus[]>
  /** Also checked when given. */
  readonly redisUrl?: string | undefined
}

/** One thing that headlight needs from this machine. Never holds a secret. */
export interface Finding {
  readonly name: string
  /** `false`: some command cannot work here as things are. */
  readonly ok: boolean
  readonly detail: string
  /** What to do about it; with `ok`, what to know. */
  readonly remedy: string | null
  /** Of what is not there, and needs not be: to be known, though there is nothing to do about it. */
  readonly isNote?: true
}

type Check = (o: DoctorOptions) => Finding[] | Promise<Finding[]>

/** Looks at everything that a run on this machine will need. Installs nothing; never rejects. */
export async function doctor(options: DoctorOptions): Promise<Finding[]> {
  const findings = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        return await check(options)
      } catch (error) {
        return [problem(name, withoutPassword(sentence(error)), null)]
      }
    }),
  )
  return findings.flat()
}

/** The lines that `headlight doctor` prints. */
export function doctorText(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ name }) => name.length))
  const lines = findings.flatMap(({ name, ok, detail, remedy, isNote = remedy !== null }) => [
    `${(ok ? (isNote ? 'note' : 'ok') : 'problem').padEnd(7)}  ${name.padEnd(width)}  ${detail}`,
    ...(remedy === null ? [] : [`${' '.repeat(width + 11)}→ ${remedy}`]),
  ])
  const problems = findings.filter(({ ok }) => !ok).length
  const conclusion =
    problems === 0 ? 'headlight can run here.' : `${problems} problem${problems === 1 ? '' : 's'} to solve first.`
  return [...lines, '', conclusion, ''].join('\n')
}

/** What `headlight doctor --json` prints. */
export function doctorJson(findings: readonly Finding[]): { ok: boolean; findings: readonly Finding[] } {
  return { ok: findings.every(({ ok }) => ok), findings }
}

const fine = (name: string, detail: string, remedy: string | null = null): Finding => ({
  name,
  ok: true,
  detail,
  remedy,
})
const noted = (name: string, detail: string, remedy: string | null): Finding => ({
  ...fine(name, detail, remedy),
  isNote: true,
})
const problem = (name: string, detail: string, remedy: string | null): Finding => ({ name, ok: false, detail, remedy })
const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error)).trim()

/** By the name under which an unexpected error of the check is reported. */
const checks: Readonly<Record<string, Check>> = {
  versions: ({ headlightVersion }) => [
    fine('headlight', headlightVersion),
    fine('Node', `${process.version} on ${platform()} ${arch()}`),
  ],
  'ONNX Runtime': async () => [await onnxRuntime()],
  sharp: async () => [await sharp()],
  GPU: async (o) => [await gpus(o)],
  engines: async ({ engines }) => (await engines()).map(engineFinding),
  'Redis server': async (o) => [await redisServer(o)],
  Redis: async (o) => (o.redisUrl === undefined ? [] : [await redis(o.redisUrl)]),
  'state folder': async (o) => folder('state folder', o.stateFolder, o),
  'cache folder': async (o) => folder('cache folder', o.cacheFolder, o),
  machine: () => [machine()],
  S3: (o) => [s3Credentials(o)],
}

/**
 * Loads a native package in a process of its own: one built for another processor ends its process with a signal, and
 * the doctor has to survive the disease.
 */
async function loaded(packageName: string, expression: string): Promise<unknown> {
  const path = createRequire(import.meta.url).resolve(packageName)
  const script = `const loaded = require(${JSON.stringify(path)}); process.stdout.write(JSON.stringify(${expression}))`
  const { stdout } = await run(process.execPath, ['-e', script], { timeout: 60_000 })
  return JSON.parse(stdout)
}

async function onnxRuntime(): Promise<Finding> {
  const name = 'ONNX Runtime'
  const facts = z.object({
    version: z.string(),
    providers: z.array(z.object({ name: z.string(), bundled: z.boolean() })),
  })
  try {
    const expression = '({ version: loaded.env.versions.node, providers: loaded.listSupportedBackends() })'
    const { version, providers } = facts.parse(await loaded('onnxruntime-node', expression))
    const bundled = providers.filter((provider) => provider.bundled).map((provider) => provider.name)
    return fine(name, `${version}, providers ${bundled.join(', ')}`)
  } catch (error) {
    return problem(
      name,
      `does not load (${lastLine(error)})`,
      'run npm ci again on this machine; it needs glibc 2.28 or newer',
    )
  }
}

async function sharp(): Promise<Finding> {
  try {
    const versions = z.object({ sharp: z.string(), vips: z.string() }).parse(await loaded('sharp', 'loaded.versions'))
    return fine('sharp', `${versions.sharp} with libvips ${versions.vips}`)
  } catch (error) {
    return problem('sharp', `does not load (${lastLine(error)})`, 'run npm ci again on this machine')
  }
}

/** One that needs a GPU or an installation is no problem where it is missing: others compute. */
function engineFinding(status: EngineStatus): Finding {
  const { engine, usable, remedy, note } = status
  const name = `engine ${engine}`
  if (usable) return fine(name, engineFacts(status), note)
  const detail = `cannot be used: ${engineFacts(status)}`
  return engine === 'onnxruntime:cpu' ? problem(name, detail, remedy) : noted(name, detail, remedy)
}

async function gpus({ searchPath }: DoctorOptions): Promise<Finding> {
  const nvidiaSmi = findExecutable('nvidia-smi', searchPath)
  if (nvidiaSmi === null) return noted('GPU', 'no NVIDIA GPU found: computes on the CPU', null)
  const { stdout } = await run(nvidiaSmi, ['--query-gpu=name,memory.total', '--format=csv,noheader'], {
    timeout: 20_000,
  })
  const names = stdout.trim().split('\n')
  return fine('GPU', names.join('; '), 'headlight engine list shows which engine can use it')
}

async function redisServer(o: DoctorOptions): Promise<Finding> {
  const name = 'Redis server'
  const found = await findRedisProgram(o)
  const has = (program: string) => findExecutable(program, o.searchPath) !== null
  if (!has('flock')) {
    return problem(name, 'a private one needs the program flock', 'install util-linux, or give --redis URL')
  }
  if (found !== null) return fine(name, `${found.server} ${found.version} at ${found.path} (${found.origin})`)
  if (has('apt-get') && has('dpkg-deb')) {
    return fine(
      name,
      'none yet',
      "the first run unpacks the distribution's package into the state folder; needs no root",
    )
  }
  return problem(
    name,
    'neither redis-server nor valkey-server (6.2 or newer) is on the PATH',
    'install one with your package manager, or give --redis URL',
  )
}

async function redis(url: string): Promise<Finding> {
  try {
    const connection = redisConnection(url)
    const { server, version, maxmemoryPolicy, warning } = await checkRedis(connection)
    const policy = `maxmemory-policy ${maxmemoryPolicy ?? 'not told'}`
    return fine('Redis', `${server} ${version} at ${connection.description}, ${policy}`, warning)
  } catch (error) {
    return problem('Redis', sentence(error), null)
  }
}

const scarceBytes = 2 * 2 ** 30

/** Writes a file, since permissions alone tell nothing of quotas and read-only mounts. */
async function folder(name: string, path: string, { redisUrl }: DoctorOptions): Promise<Finding[]> {
  const probe = join(path, `.doctor-${process.pid}`)
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await writeFile(probe, 'probe')
  } catch (error) {
    const detail = `${path} cannot be written (${sentence(error)})`
    const remedy = `choose another one with --${name.replace(' ', '-')}, or mend its permissions`
    // Without a private Redis it only saves time.
    return [redisUrl === undefined ? problem(name, detail, remedy) : noted(name, detail, remedy)]
  } finally {
    await rm(probe, { force: true }).catch(() => undefined)
  }
  const { bavail, bsize } = await statfs(path)
  const free = `${path}, ${gibibytes(bavail * bsize)} free`
  if (bavail * bsize > scarceBytes) return [fine(name, free)]
  return [problem(name, free, `make room: less than ${gibibytes(scarceBytes)} is soon full`)]
}

function machine(): Finding {
  // Without a limit on the container this is a number far beyond any machine.
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity)
  return fine('machine', `${availableParallelism()} cores, ${gibibytes(memory)} memory`)
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`

/** Whether and where there are credentials; looks at no value but that of a region and an endpoint. */
function s3Credentials({ environment, homeFolder }: DoctorOptions): Finding {
  const name = 'S3 credentials'
  const given = (variable: string) => (environment[variable] ?? '') !== ''
  const credentialsFile = environment['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homeFolder, '.aws', 'credentials')
  const sources = [
    given('AWS_ACCESS_KEY_ID') && given('AWS_SECRET_ACCESS_KEY') && 'AWS_ACCESS_KEY_ID',
    given('AWS_PROFILE') && `profile ${environment['AWS_PROFILE']}`,
    given('AWS_WEB_IDENTITY_TOKEN_FILE') && 'web identity token',
    (given('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI') || given('AWS_CONTAINER_CREDENTIALS_FULL_URI')) &&
      'container role',
    readable(credentialsFile) && credentialsFile,
  ].filter((source) => source !== false)
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'not set'
  const endpoint = environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL']
  const where = `region ${region}${endpoint === undefined ? '' : `, endpoint ${withoutPassword(endpoint)}`}`
  if (sources.length > 0) return fine(name, `yes, from ${sources.join(', ')}; ${where}`)
  return fine(
    name,
    `none found; ${where}`,
    'folders need none; for s3:// set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, unless this machine has a role',
  )
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** Of a child's failure, the line that says what it was; Node puts it last but for its own version. */
function lastLine(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : ''
  const said = text.split('\n').find((line) => /^\w*Error\b/.test(line))
  return said ?? sentence(error).split('\n')[0] ?? ''
}
