import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { thisProcess } from '../../src/base/processIdentity.ts'
import { Hold, type HoldFile } from '../../src/output/hold.ts'
import { layout } from '../../src/output/layout.ts'
import { HeartbeatSender } from '../../src/queue/heartbeat.ts'
import { openStore } from '../../src/storage/open.ts'
import { WorkerState } from '../../src/worker/supervisor/workerState.ts'
import { frozen, frozenCases } from '../support/frozen.ts'
import { headlight, imageFolder, networkFile, startHeadlight, type Ended } from '../support/headlight.ts'
import { amiss, fieldsOf } from '../support/jsonFields.ts'
import { noPatience } from '../support/producerWorld.ts'
import { silent, startTestRedis } from '../support/redis.ts'
import { startS3Server, type S3Server } from '../support/s3Server.ts'

// What scripts read: the JSON of --json and the exit codes. A field may come in addition; one that is there keeps its
// name, its place and its type, and here also its value, where that is the same on every machine.

const keys = { accessKeyId: 'key', secretAccessKey: 'secret' }
const checkpoints = fileURLToPath(new URL('../checkpoints', import.meta.url))
/** In S3, so that its URI, and with it each result set's id, is the same wherever the test runs. */
const dataset = 's3://bucket/heads/'

let server: S3Server
let redis: Awaited<ReturnType<typeof startTestRedis>>
let folder = ''
/** Of all calls: the same S3 and the same Redis. */
let environment: Record<string, string> = {}
/** What the commands printed, by the names of the cases. */
const printed: Record<string, unknown> = {}
const codes: Record<string, number | null> = {}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-baseline-'))
  ;[server, redis] = await Promise.all([startS3Server(keys), startTestRedis()])
  environment = { HEADLIGHT_S3_ENDPOINT: server.endpoint, HEADLIGHT_CACHE_FOLDER: join(folder, 'cache') }
  vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey)
  vi.stubEnv('AWS_REGION', 'us-east-1')
  for (const name of await readdir(imageFolder)) putImage(name, await readFile(join(imageFolder, name)))
  putImage('broken.png', Buffer.from('no image'))
  // The runs are processes that mostly wait for each other, the rest is done in this one.
  await Promise.all([runs(), explanations().then(inspections)])
  // Not beside the runs, whose workers show there as well.
  await statusBesideQueue()
}, 240_000)

afterAll(async () => {
  vi.unstubAllEnvs()
  await Promise.all([server.close(), redis.stop()])
  await rm(folder, { recursive: true, force: true })
})

function putImage(name: string, bytes: Buffer): void {
  const etag = createHash('md5').update(bytes).digest('hex')
  server.buckets.get('bucket')?.set(`heads/${name}`, { bytes, etag, contentType: 'image/png' })
}

const redisUrl = () => `redis+unix://${redis.connection.redis.path}`

/** A process of its own: it starts others. */
const started = (...args: string[]) =>
  startHeadlight([...args, '--json'], {
    ...environment,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_REGION: 'us-east-1',
    HEADLIGHT_REDIS: redisUrl(),
  })

const run = (...more: string[]) =>
  started('run', '--dataset', dataset, '--network', networkFile, '--output', join(folder, 'out'), ...more)

/** Within this process; `HEADLIGHT_REDIS` is not set, so that an output alone is looked at. */
const called = (...args: string[]) => headlight([...args, '--json'], environment)

function note(name: string, { code, stdout, stderr }: Ended): void {
  if (stdout === '') throw new Error(`${name} printed nothing, and said: ${stderr}`)
  printed[name] = JSON.parse(stdout)
  codes[name] = code
}

async function runs(): Promise<void> {
  const computing = ['--engine', 'onnxruntime:cpu', '--units', '1']
  const several = ['--objective', 'yaw,-yaw,yaw:top', '--logits', '--gradients', 'float16']
  const labelled = ['--adapter', 'filename', ...several, ...computing]
  note('run of labelled images, one of them broken, --strict', await run(...labelled, '--strict').ended)
  server.buckets.get('bucket')?.delete('heads/BIWI00000004_-63_-12_+0.png')
  note('run of the same, one image gone', await run(...labelled).ended)
  server.buckets.get('bucket')?.delete('heads/broken.png')
  note('run without labels', await run('--scope', 'stem', '--style', 'magnitude', ...computing).ended)
  note('status of an output', await called('status', '--output', join(folder, 'out')))
}

async function statusBesideQueue(): Promise<void> {
  const uri = join(folder, 'queued')
  const beside = ['--output', uri, '--redis', redisUrl()]
  const added = await called('produce', '--dataset', dataset, '--network', networkFile, ...beside, '--detach')
  note('produce --detach', added)
  const { output: place, run: id } = JSON.parse(added.stdout) as { output: string; run: string }
  note('status of a queued run', await called('status', ...beside))

  const output = openStore(uri)
  const state = new WorkerState('0.0.0', 'onnxruntime:cpu')
  const facts = () => ({ ...state.heartbeat, activity: 'idle' as const })
  const heartbeat = new HeartbeatSender(redis.connection, facts, silent)
  const { signal } = new AbortController()
  const set = basename(place)
  const hold = await Hold.take({ output, set, signal, patience: noPatience, onWait: () => undefined, log: silent })
  try {
    await hold.setRun(id)
    await vi.waitUntil(
      async () => {
        const looked = await called('status', ...beside)
        note('status of a run at work, with queue and worker', looked)
        return (JSON.parse(looked.stdout) as { workers: unknown[] }).workers.length > 0
      },
      { timeout: 60_000 },
    )
  } finally {
    await Promise.all([hold.release(), heartbeat.close()])
    output.close()
  }
}

async function explanations(): Promise<void> {
  const image = join(imageFolder, 'BIWI00000002_+32_-8_+4.png')
  const explain = ['explain', '--network', networkFile, '--engine', 'onnxruntime:cpu']
  note('explain', await called(...explain, image))
  const unlabelled = join(folder, 'face.png')
  await copyFile(image, unlabelled)
  const files = ['map.png', 'gradient.npy', 'overlay.png'].map((name) => join(folder, name))
  const written = ['--map', '--gradient', '--overlay'].flatMap((flag, i) => [flag, files[i] ?? ''])
  note(
    'explain without a label, all files written',
    await called(...explain, unlabelled, ...written, '--objective=-pitch', '--scope', 'stem', '--style', 'magnitude'),
  )
}

async function inspections(): Promise<void> {
  for (const file of await readdir(checkpoints)) {
    note(`network inspect ${file}`, await called('network', 'inspect', join(checkpoints, file)))
  }
  const described = join(folder, 'described.pkl')
  await copyFile(networkFile, described)
  await writeFile(`${described}.yaml`, 'input:\n  resize: stretch\nheads:\n  - angle: yaw\n    sign: -1\n')
  note('network inspect with a description beside it', await called('network', 'inspect', described))
}

const cases = [
  'run of labelled images, one of them broken, --strict',
  'run of the same, one image gone',
  'run without labels',
  'status of an output',
  'produce --detach',
  'status of a queued run',
  'status of a run at work, with queue and worker',
  'explain',
  'explain without a label, all files written',
  'network inspect tiny_hp.pkl',
  'network inspect with a description beside it',
]

test.each(cases)('%s: no field is missing, and none has another type', (name) => {
  const fields = fieldsOf(printed[name])
  expect(amiss(frozen('json.json', `fields of ${name}`, fields) as string[], fields)).toEqual([])
})

const otherCheckpoints = [
  '.safetensors',
  '_dataparallel.pkl',
  '_fp16.pkl',
  '_legacy.pkl',
  '_oldnames_wrapped_legacy.pkl',
]

test.each([...cases, ...otherCheckpoints.map((end) => `network inspect tiny_hp${end}`)])(
  '%s: values and exit code are the same as ever',
  (name) => {
    const ended = { exitCode: codes[name], values: steady(printed[name]) }
    expect(ended).toMatchObject(near(frozen('json.json', `values of ${name}`, rounded(ended))) as object)
  },
)

test('what a run puts into S3 lies under the same keys, with the same content types, as ever', async () => {
  const more = ['--gradients', 'float16', '--engine', 'onnxruntime:cpu', '--units', '1']
  const { code } = await started(
    'run',
    '--dataset',
    dataset,
    '--network',
    networkFile,
    '--output',
    's3://bucket/types/',
    ...more,
  ).ended
  expect(code).toBe(0)
  const stored: Record<string, string> = {}
  for (const [key, { contentType }] of server.objects()) {
    const [, place] = /^types\/[^/]+\/(.*)$/.exec(key) ?? []
    if (place !== undefined) stored[place.replace(/^runs\/[^/]+/, 'runs/RUN')] = contentType
  }
  expect(stored).toMatchObject(frozen('json.json', 'content types', stored) as object)
})

test('no case has been dropped', () => {
  const compared = [
    ...cases.map((name) => `fields of ${name}`),
    ...[...cases, ...otherCheckpoints.map((end) => `network inspect tiny_hp${end}`)].map((name) => `values of ${name}`),
    'content types',
  ]
  const held = Object.keys(frozenCases('json.json')).filter((name) => !name.startsWith('failure: '))
  expect(compared).toEqual(expect.arrayContaining(held))
})

test('a field may come in addition, but none may go or change its type', () => {
  const before = fieldsOf({ a: { b: [{ c: 1 }, { c: null }] }, d: 'x' })
  expect(before).toEqual(['a.b: array', 'a.b[].c: null|number', 'a.b[]: object', 'a: object', 'd: string'])
  expect(amiss(before, fieldsOf({ a: { b: [{ c: 1, e: 2 }] }, d: 'y', f: 3 }))).toEqual([])
  expect(amiss(before, fieldsOf({ a: { b: [{ c: 1 }, {}] }, d: 'x' }))).toEqual(['a.b[].c: absent|number'])
  expect(amiss(before, fieldsOf({ a: { b: [{ c: '1' }] }, d: 'x' }))).toEqual(['a.b[].c: string'])
  expect(amiss(before, fieldsOf({ a: { b: [{ c: 1 }] } }))).toEqual(['d: absent'])
})

describe('a call that cannot work', () => {
  const failures: Record<string, () => Promise<Ended>> = {
    'an unknown command': () => called('rnu'),
    'an unknown option': () => called('status', '--outptu', 'x'),
    'a value that is not allowed': () => called('run', '--scope', 'al'),
    'an option that is missing': () => called('run'),
    'no URI': () => called('explain', 'file://%zz', '--network', networkFile),
    'an image that is none': () => called('explain', networkFile, '--network', networkFile),
    'an image that is not there': () => called('explain', join(folder, 'none.png'), '--network', networkFile),
    'a network that is none': () => called('network', 'inspect', join(imageFolder, 'BIWI00000001_-17_+1_+17.png')),
    'a description with an unknown key': async () => {
      const network = join(folder, 'misdescribed.pkl')
      await copyFile(networkFile, network)
      await writeFile(`${network}.yaml`, 'inptu:\n  width: 8\n')
      return called('network', 'inspect', network)
    },
    'an objective that the network lacks': () =>
      called(
        'explain',
        join(imageFolder, 'BIWI00000001_-17_+1_+17.png'),
        '--network',
        networkFile,
        '--objective',
        'class:3',
      ),
    'an engine that is not installed': () =>
      called('explain', 'x.png', '--network', networkFile, '--engine', 'tfjs', '--engines-folder', '/nonexistent'),
    'a dataset that is not there': () => runHere(join(folder, 'nowhere')),
    'a bucket that is not there': () => runHere('s3://nowhere/images/'),
    'a dataset without images': async () => {
      await mkdir(join(folder, 'empty'))
      return runHere(join(folder, 'empty'))
    },
    'an output inside the dataset': () => runHere(folder, join(folder, 'inside')),
    'an index that is not there': () =>
      runHere(dataset, join(folder, 'new'), '--adapter', 'csv', '--index', 'none.csv'),
    'credentials that are refused': async () => {
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong')
      return runHere(dataset).finally(() => vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey))
    },
    'no Redis': () => called('status', '--redis', `redis+unix://${join(folder, 'none.sock')}`),
    'an output without a result set': async () => {
      await mkdir(join(folder, 'bare'))
      return called('status', '--output', join(folder, 'bare'))
    },
    'a run that is not there': () => called('status', 'none', '--output', join(folder, 'out')),
    'a run that is closed': () => called('cancel', 'latest', '--output', join(folder, 'out')),
    'a set.json of another version': async () => {
      await mkdir(join(folder, 'other', 'set'), { recursive: true })
      await writeFile(join(folder, 'other', layout.set('set')), '{"schema":2}')
      return called('status', '--output', join(folder, 'other'))
    },
    'a result set that another run holds': async () => {
      await hold({})
      return runHere(dataset, join(folder, 'out'), '--scope', 'stem', '--style', 'magnitude')
    },
    'credentials that have expired': async () => {
      server.faults.push({ what: 'expired-token', when: ({ method }) => method === 'GET' })
      const image = `${dataset}BIWI00000001_-17_+1_+17.png`
      return called('explain', image, '--network', networkFile).finally(() => server.faults.pop())
    },
    'an interruption': async () => {
      // From another machine, its clock ahead: it is waited for as long as anyone looks.
      await hold({ host: 'elsewhere', heartbeatAt: new Date(Date.now() + 3_600_000).toISOString() })
      const waiting = run('--scope', 'stem', '--style', 'magnitude')
      await waiting.said('which holds')
      waiting.kill('SIGINT')
      return waiting.ended
    },
  }

  const runHere = (from: string, to = join(folder, 'new'), ...more: string[]) =>
    called('run', '--dataset', from, '--output', to, '--network', networkFile, '--redis', redisUrl(), ...more)

  /** From now on this process holds the result set without labels, unless said otherwise. */
  async function hold(changes: Partial<HoldFile>): Promise<void> {
    const { output } = printed['run without labels'] as { output: string }
    const file: HoldFile = { run: null, ...(await thisProcess()), heartbeatAt: new Date().toISOString(), ...changes }
    const place = fileURLToPath(new URL(layout.hold(basename(output)), new URL('..', output)))
    await writeFile(place, JSON.stringify(file))
  }

  test.each(Object.entries(failures))('%s: is answered with the same code as ever', async (name, call) => {
    const { code: exitCode, stdout, stderr } = await call()
    const answer = (stdout === '' ? { error: { message: stderr } } : JSON.parse(stdout)) as { error: { code: string } }
    expect(answer).toEqual({ error: { code: expect.any(String), message: expect.any(String) } })
    const ended = { exitCode, code: answer.error.code }
    expect(ended).toEqual(frozen('json.json', `failure: ${name}`, ended))
  })

  test('no failure has been dropped', () => {
    const compared = Object.keys(failures).map((name) => `failure: ${name}`)
    const held = Object.keys(frozenCases('json.json')).filter((name) => name.startsWith('failure: '))
    expect(compared).toEqual(expect.arrayContaining(held))
  })
})

/** Fields whose values are of this run, this machine or this moment, or a sentence. */
const passing = new Set(
  (
    'run job at startedAt closedAt published imagesPerSecond headlightVersion ' +
    'host pid heartbeatSecondsAgo lastSignSecondsAgo engineReasons'
  ).split(' '),
)

/** Without those, and without the folder of this test. */
function steady(value: unknown): unknown {
  if (typeof value === 'string')
    return value.replace(pathToFileURL(folder).href, '').replace(folder, '').replace(imageFolder, '')
  if (Array.isArray(value)) return value.map(steady)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => !passing.has(name))
  return Object.fromEntries(kept.map(([name, member]) => [name, steady(member)]))
}

const rounded = (value: unknown): unknown => mapNumbers(value, (number) => Number(number.toFixed(5)))

/** Within 0.001 (degrees, mostly): processors differ in how they add up. Whole numbers exactly. */
const near = (value: unknown): unknown =>
  mapNumbers(value, (number): unknown => (Number.isInteger(number) ? number : expect.closeTo(number, 3)))

function mapNumbers(value: unknown, change: (number: number) => unknown): unknown {
  if (typeof value === 'number') return change(value)
  if (Array.isArray(value)) return value.map((element) => mapNumbers(element, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapNumbers(member, change)]))
}
