import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openQueue, openWorker } from '../../../src/queue/connection.ts'
import { runsQueue, type RunJob } from '../../../src/queue/jobs.ts'
import { scheduleOutcomesKey, schedulesKey } from '../../../src/queue/schedule.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'
import { silent, startTestRedis } from '../../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

const schedule = (...args: string[]) =>
  headlight(['schedule', ...args], { HEADLIGHT_REDIS: `redis+unix://${redis.connection.redis.path}` })

it('prepares what is to run, and shows, pauses, runs and forgets it', () =>
  inFolder(async (folder) => {
    const output = join(folder, 'out')
    const run = ['--dataset', imageFolder, '--output', output, '--network', networkFile, '--adapter', 'filename']
    const when = ['--cron', '0 2 * * *', '--tz', 'Europe/Berlin']
    const added = await schedule('add', 'nightly', ...when, '--json', '--', ...run, '--prune')
    expect(added.code).toBe(0)
    expect(JSON.parse(added.stdout)).toMatchObject({
      done: 'added',
      name: 'nightly',
      output: `file://${output}/`,
      set: expect.stringMatching(/^tiny_hp-all-/),
      prune: true,
      next: [expect.stringMatching(/T0[01]:00/), expect.anything(), expect.anything()],
      lastOutcome: null,
    })
    expect(JSON.parse(added.stdout)).not.toHaveProperty('priority')
    for (const name of ['keepRuns', 'report']) expect(JSON.parse(added.stdout)).not.toHaveProperty(name)
    const changed = await schedule(
      'add',
      'nightly',
      ...when,
      '--',
      ...run,
      '--priority',
      '-1',
      '--keep-runs',
      '30',
      '--no-report',
    )
    expect(changed.stdout).toMatch(/^changed: nightly\n[^]*, the last 30 kept whole, without report, priority -1\n/)
    expect(JSON.parse((await schedule('list', '--json')).stdout)).toMatchObject({
      schedules: [{ priority: -1, keepRuns: 30, report: false }],
    })
    expect((await schedule('pause', 'nightly')).stdout).toBe('nightly is paused\n')
    expect((await schedule('pause', 'nightly')).stdout).toBe('nightly was paused already\n')
    expect((await schedule('list')).stdout).toMatch(/runs +0 2 \* \* \*, Europe\/Berlin; paused\n.*last +not run yet/s)
    expect((await schedule('resume', 'nightly')).code).toBe(0)
    expect((await schedule('list')).stdout).toMatch(/next +\d{4}-\d\d-\d\d 02:00:00, /)
    const status = await headlight(['status', '--redis', `redis+unix://${redis.connection.redis.path}`])
    expect(status.stdout).toMatch(/^headlight-runs-v\d +0 waiting, 0 active, 0 delayed, 1 scheduled; 0 processes$/m)
    expect((await schedule('run', 'nightly')).stdout).toContain('queued')
    expect((await schedule('list')).stdout).toMatch(/now +a run waits for a free headlight producer\n/)
    const queue = openQueue<RunJob, unknown>(redis.connection, runsQueue, silent)
    const serving = openWorker<RunJob, null>(redis.connection, runsQueue, null, {}, silent)
    const atWork = await serving.getNextJob('token')
    expect(atWork?.data.schedule).toBe('nightly')
    expect((await schedule('list')).stdout).toMatch(/now +a run is at work\n/)
    expect((await schedule('run', 'nightly')).stdout).toContain('while that goes on, this one is skipped')
    await serving.close(true)
    await queue.obliterate({ force: true })
    await queue.close()
    expect((await schedule('remove', 'nightly')).code).toBe(0)
    expect((await schedule('list')).stdout).toMatch(/^no schedule: there is none yet/)
    expect(JSON.parse((await schedule('list', '--json')).stdout)).toEqual({ schedules: [] })
  }))

it('refuses what could not run at night', async () => {
  const when = ['--cron', '0 2 * * *', '--tz', 'UTC']
  for (const [args, reason] of [
    [['a:b', ...when, '--'], 'no name for a schedule'],
    [['x', '--cron', '0 2 * *', '--tz', 'UTC', '--'], 'has 4 fields'],
    [['x', '--cron', '* * * * * *', '--tz', 'UTC', '--'], 'has 6 fields'],
    [['x', ...when, '--'], '--dataset'],
    [['x', ...when, '--dataset', 'in'], 'stand after --'],
    [['x', ...when, '--', '--no-such-option'], 'no-such-option'],
    [['x', '--cron', '0 2 * * *', '--'], '--tz'],
  ] as const) {
    expect(await schedule('add', ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) })
  }
  expect(await schedule('remove', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('no schedule x') })
})

it('follows a network where it lies, only when it is told to', () =>
  inFolder(async (folder) => {
    const network = join(folder, 'best.pkl')
    await copyFile(networkFile, network)
    const run = ['--', '--dataset', imageFolder, '--output', join(folder, 'out'), '--network', network]
    const when = ['--cron', '0 2 * * *', '--tz', 'UTC', '--json']
    const plain = JSON.parse((await schedule('add', 'x', ...when, ...run)).stdout) as object
    expect(plain).not.toHaveProperty('followNetwork')
    const followed = await schedule('add', 'x', ...when, '--follow-network', ...run)
    expect(JSON.parse(followed.stdout)).toMatchObject({ done: 'changed', followNetwork: `file://${network}` })
    expect((await schedule('list')).stdout).toMatch(/network +\/.*best\.pkl, read anew each time\n/)
    expect((await schedule('list')).stdout).toMatch(
      /result set .*\/, if the network is still that of when it was added\n/,
    )
    const client = new Redis(redis.connection.redis)
    const ran = { at: new Date().toISOString(), outcome: 'completed', run: 'run-1', set: 'retrained-1', message: null }
    await client.lpush(scheduleOutcomesKey('x'), JSON.stringify(ran))
    client.disconnect()
    expect((await schedule('list')).stdout).toMatch(/result set .*\/out\/retrained-1\/, of the last run\n/)
    const own = join(folder, 'own.yaml')
    await writeFile(own, 'input: { range: 255 }\n')
    const described = await schedule('add', 'x', ...when, '--follow-network', ...run, '--description', own)
    expect(JSON.parse(described.stdout)).toMatchObject({ done: 'changed', description: own })
    expect((await schedule('list')).stdout).toContain(` description ${own}, as it was when this was added\n`)
    const late = await schedule('add', 'x', ...when, ...run, '--follow-network')
    expect(late).toMatchObject({ code: 2, stdout: expect.stringContaining('before the --') as string })
    await schedule('remove', 'x')
  }))

it('a producer reads a network that has changed by the description that went with its schedule', () =>
  inFolder(async (folder) => {
    const [network, own, out] = ['best.pkl', 'own.yaml', 'out'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await copyFile(networkFile, network)
    await writeFile(own, 'input: { range: 255 }\n')
    const run = ['--', '--dataset', imageFolder, '--output', out, '--network', network, '--description', own]
    const added = await schedule('add', 'x', '--cron', '0 2 1 1 *', '--tz', 'UTC', '--json', '--follow-network', ...run)
    const { set } = JSON.parse(added.stdout) as { set: string }
    await copyFile(networkFile.replace('tiny_hp.pkl', 'tiny_hp_fp16.pkl'), network)
    await writeFile(own, 'input: { range: 2 }\n')
    const producer = startHeadlight(['producer', '--redis', `redis+unix://${redis.connection.redis.path}`])
    try {
      expect(await schedule('run', 'x')).toMatchObject({ code: 0 })
      const retrained = async () => (await readdir(out)).filter((name) => name.startsWith('best-all-') && name !== set)
      await expect.poll(retrained, { timeout: 30_000 }).toHaveLength(1)
      const [found = ''] = await retrained()
      const setFile = async () => JSON.parse(await readFile(join(out, found, 'set.json'), 'utf8')) as unknown
      await expect
        .poll(setFile, { timeout: 30_000 })
        .toMatchObject({ network: { description: { input: { range: 255 } } } })
    } finally {
      producer.kill('SIGTERM')
      await producer.ended
    }
    await schedule('remove', 'x')
  }))

it('shows, changes and removes the others beside one of another version', async () => {
  const client = new Redis(redis.connection.redis.path ?? '')
  await client.hset(schedulesKey, 'newer', JSON.stringify({ schema: 2 }))
  const listed = await schedule('list', '--json')
  expect(listed).toMatchObject({ code: 0, stdout: '{"schedules":[]}\n' })
  expect(listed.stderr).toContain('schedule newer cannot be read')
  expect(await schedule('pause', 'newer')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('another version of headlight wrote it') as string,
  })
  expect(await schedule('remove', 'newer')).toMatchObject({ code: 0 })
  expect(await client.hgetall(schedulesKey)).toEqual({})
  client.disconnect()
})
