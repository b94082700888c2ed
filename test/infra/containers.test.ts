import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { validate } from 'dockerfile-utils'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { environmentName } from '../../src/cli/settings/optionFacts.ts'
import { settingsSchema } from '../../src/cli/settings/optionSchema.ts'
import { pipPackages } from '../../src/machine/cudaInstallation.ts'
import { librariesFolder } from '../../src/machine/cudaLibraries.ts'
import { checkRedis } from '../../src/queue/checkRedis.ts'
import { redisConnection } from '../../src/queue/redisUrl.ts'
import { installations } from '../../src/saliency/engines/openEngine.ts'
import { freePort, searchPathWithRedis } from '../support/redis.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const service = z.object({
  command: z.string().optional(),
  entrypoint: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.unknown()),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
})
const compose = z
  .object({ services: z.object({ producer: service, worker: service, redis: service }) })
  .parse(parse(read('infra/docker/compose.yaml'), { merge: true }))

describe.each(['infra/docker/Dockerfile', 'infra/docker/Dockerfile.cuda'])('%s', (file) => {
  const text = read(file)
  const instructions = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter(Boolean)

  test('has no fault that a linter sees', () => {
    expect(validate(text)).toEqual([])
  })

  test('copies files that exist and that .dockerignore lets through', () => {
    const allowed = read('.dockerignore').split('\n')
    const copied = instructions
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(/\s+/).slice(1, -1))
    expect(copied.length).toBeGreaterThan(4)
    expect(copied.filter((name) => !existsSync(join(root, name)) || !allowed.includes(`!${name}`))).toEqual([])
  })

  test('leaves out of the packages only what lies there', () => {
    const removed = [...text.matchAll(/\bnode_modules\/\S+/g)].map(([path]) => path)
    expect(removed.filter((path) => path.includes('onnxruntime') && !existsSync(join(root, path)))).toEqual([])
  })

  test('runs as an ordinary user and holds no secret', () => {
    expect(instructions.findLast((line) => line.startsWith('USER'))).toBe('USER 10001:10001')
    expect(instructions.filter((line) => /^(ARG|ENV)\b.*(SECRET|PASSWORD|TOKEN|KEY)/i.test(line))).toEqual([])
  })

  test('has a health check that tells an answer from an error and from silence', async () => {
    const [, text = '[]'] = /^HEALTHCHECK .*CMD (\[.*\])$/.exec(instructions.at(-1) ?? '') ?? []
    const [name = '', ...args] = z.array(z.string()).parse(JSON.parse(text))
    let status = 200
    const server = createServer((request, response) =>
      response.writeHead(request.url === '/healthz' ? status : 404).end(),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = z.object({ port: z.int() }).parse(server.address())
    const env = { PATH: process.env.PATH, HEADLIGHT_HEALTH_PORT: `${address.port}` }
    const check = async () => ((await once(spawn(name, args, { env, stdio: 'ignore' }), 'exit')) as unknown[])[0]
    expect(await check()).toBe(0)
    status = 500
    expect(await check()).toBe(1)
    server.close()
    await once(server, 'close')
    expect(await check()).toBe(1)
  })

  test('sets only what headlight knows', () => {
    const known = Object.keys(settingsSchema.shape).map(environmentName)
    const given = text.match(/HEADLIGHT_\w+(?==)/g) ?? []
    expect(given.filter((name) => !known.includes(name))).toEqual([])
  })
})

describe('Dockerfile.cuda', () => {
  const text = read('infra/docker/Dockerfile.cuda')

  test('holds both engines on CUDA and leaves the choice to the worker', () => {
    for (const name of Object.keys(installations)) expect(text).toContain(`engine install ${name} --engines-folder`)
    const [, folder = ''] = /^ENV HEADLIGHT_ENGINES_FOLDER=(\S+)$/m.exec(text) ?? []
    expect(text.match(/--engines-folder [\w/]+/g)).toEqual(Array<string>(3).fill(`--engines-folder ${folder}`))
    expect(text).toContain(`COPY --from=engines ${folder} ${folder}`)
    expect(text).not.toMatch(/^ENV .*HEADLIGHT_ENGINE=/m)
  })

  test('keeps the libraries of the two apart: each is found through its own installation', () => {
    expect(text).not.toMatch(/^ENV .*LD_LIBRARY_PATH/m)
    expect(text).toContain(`ln -s /opt/cuda12 /opt/engines/${installations.tfjs.folder}/${librariesFolder}`)
    const paths = [...text.matchAll(/LD_LIBRARY_PATH=(\S+)/g)].map(([, path = '']) => path)
    expect(paths.filter((path) => path.includes('/opt/cuda12') && path.includes('/opt/cuda13'))).toEqual([])
    expect(paths).toHaveLength(3)
    for (const copied of ['tensorflow', 'cuda12', 'cuda13'])
      expect(text).toContain(`COPY --from=engines /opt/${copied} /opt/${copied}\n`)
  })

  test('brings the libraries for a provider for CUDA 13, where that is the one which is installed', () => {
    expect(text).toContain(`  ${pipPackages[13]} \\\n`)
    expect(text).toContain(
      `grep -q '"source":"carried"' /opt/engines/${installations.cuda.folder}/${installations.cuda.mark}`,
    )
  })
})

describe('compose.yaml', () => {
  const { producer, worker, redis } = compose.services

  test('runs both sides locked down, and a worker has the time to hand its shards back', () => {
    for (const side of [producer, worker]) expect(side).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
    const grace = settingsSchema.parse({}).graceSeconds
    expect(Number.parseInt(worker.stop_grace_period ?? '', 10)).toBeGreaterThanOrEqual(grace + 20)
  })

  test('holds no secret of its own', () => {
    for (const { environment } of Object.values(compose.services))
      for (const [name, value] of Object.entries(environment))
        if (/SECRET|PASSWORD|REDIS/.test(name)) expect(value).toMatch(/\$\{(REDIS_PASSWORD|S3_SECRET):\?/)
  })

  const program = ['docker compose', 'docker-compose'].find((line) => {
    const [name = '', ...args] = line.split(' ')
    try {
      execFileSync(name, [...args, 'version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
  test.skipIf(program === undefined)('is accepted by docker compose (skipped where there is none)', () => {
    const [name = '', ...args] = (program ?? '').split(' ')
    const env = { ...process.env, REDIS_PASSWORD: 'secret', S3_SECRET: 'secret' }
    const call = [...args, '-f', join(root, 'infra/docker/compose.yaml'), 'config', '--quiet']
    expect(() => execFileSync(name, call, { env, stdio: 'pipe' })).not.toThrow()
  })

  test("starts a Redis that knows headlight's user, by a script that shows the password to nobody", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headlight-compose-'))
    const port = await freePort()
    const script = (redis.entrypoint?.[2] ?? '')
      .replaceAll('$$', '$')
      .replaceAll('/headlight.acl', join(root, 'infra/redis/headlight.acl'))
      .replaceAll('/tmp/users.acl', join(folder, 'users.acl'))
      .replace('--dir /data', `--dir ${folder} --port ${port} --bind 127.0.0.1`)
    const env = { PATH: await searchPathWithRedis(), REDIS_PASSWORD: 'not to be seen' }
    const server = spawn('sh', ['-ec', script], { env, stdio: 'ignore' })
    onTestFinished(async () => {
      server.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    })
    const check = (login: string) =>
      checkRedis(redisConnection(`redis://${login}127.0.0.1:${port}`)).then(
        () => 'usable',
        (error: Error) => error.message,
      )
    while ((await check('headlight:not%20to%20be%20seen@')) !== 'usable') {
      if (server.exitCode !== null) throw new Error(`the script ended with ${server.exitCode}`)
      await sleep(20)
    }
    expect(await check('')).toContain('wants a password')
    for (const file of ['cmdline', 'environ']) {
      const text = readFileSync(`/proc/${server.pid}/${file}`, 'utf8')
      expect({ file, isSeen: text.includes('not to be seen') }).toEqual({ file, isSeen: false })
    }
    expect(readFileSync(join(folder, 'users.acl'), 'utf8')).not.toContain('not to be seen')
  })
})
