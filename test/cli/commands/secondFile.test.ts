import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Call } from '../../../src/cli/command.ts'
import { checkNetwork } from '../../../src/cli/commands/doctor/networkCheck.ts'
import { inspectNetwork, renderInspection } from '../../../src/saliency/networks/inspect.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { openStore } from '../../../src/storage/open.ts'
import { headlight, imageFolder, inFolder, startHeadlight } from '../../support/headlight.ts'
import { searchPathWithRedis } from '../../support/redis.ts'
import { startS3Server, type S3Server } from '../../support/s3Server.ts'
import { contents } from '../../support/shard.ts'
import { tinyOnnx } from '../../support/tinyOnnx.ts'

const credentials = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' }
let server: S3Server
let PATH = ''

beforeAll(async () => {
  PATH = await searchPathWithRedis()
  server = await startS3Server({ accessKeyId: 'key', secretAccessKey: 'secret' })
})
afterAll(() => server.close())
beforeEach(() => {
  for (const [name, value] of Object.entries(credentials)) vi.stubEnv(name, value)
})
afterEach(() => vi.unstubAllEnvs())

const imageName = 'BIWI00000001_-17_+1_+17.png'
const file = 'model.onnx.data'
const before = tinyOnnx({ seed: 1, externalData: file })
const retrained = tinyOnnx({ seed: 2, externalData: file })

/** Dataset, network and output in a folder or a bucket, and the call that explains the dataset. */
function placeIn(folder: string, kind: 'folder' | 'bucket') {
  const uri = kind === 'folder' ? join(folder, 'all') : 's3://bucket'
  const store = openStore(uri, { endpoint: server.endpoint })
  const own = ['--state-folder', join(folder, 'state'), '--cache-folder', join(folder, 'cache')]
  const places = ['--dataset', `${uri}/images`, '--network', `${uri}/models/model.onnx`, '--output', `${uri}/out`]
  return {
    store,
    run: () =>
      startHeadlight(['run', ...places, ...own, '--s3-endpoint', server.endpoint, '--units', '1'], {
        PATH,
        ...credentials,
      }).ended,
    addImage: async (name: string) => store.put(`images/${name}`, await readFile(join(imageFolder, imageName))),
    train: ({ data }: typeof before) => store.put(`models/${file}`, data),
    /** Names of the result sets. */
    sets: async () => {
      const sets: string[] = []
      for await (const set of store.folders('out/')) sets.push(set)
      return sets
    },
  }
}

/** Runs with the network as it was and as it was trained anew. Gives the place, and the first result set. */
async function runTwice(folder: string, kind: 'folder' | 'bucket') {
  const place = placeIn(folder, kind)
  const { store, run, addImage, train, sets } = place
  await store.check('write')
  await addImage('a.png')
  await store.put('models/model.onnx', before.bytes)

  await train(before)
  expect(await run()).toMatchObject({ code: 0 })
  const [first = '', ...none] = await sets()
  expect(none).toEqual([])
  const stored = await contents(store, `out/${first}/`)
  expect(stored.get(`out/${first}/network/model.onnx`)).toBe(hex(before.bytes))
  expect(stored.get(`out/${first}/network/${file}`)).toBe(hex(before.data))

  await train(retrained)
  expect(await run()).toMatchObject({ code: 0 })
  const [second = ''] = (await sets()).filter((set) => set !== first)
  expect(await contents(store, `out/${first}/`)).toEqual(stored)
  const map = await store.get(`out/${second}/maps/sum/a.png`)
  expect(map?.info.sizeBytes).toBeGreaterThan(0)
  expect(hex(map?.bytes ?? new Uint8Array())).not.toBe(stored.get(`out/${first}/maps/sum/a.png`))
  return { ...place, first }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test(
  'weights that were trained anew under an unchanged graph make a result set of their own, in a bucket',
  () =>
    inFolder(async (folder) => {
      const { store } = await runTwice(folder, 'bucket')
      store.close()
    }),
  60_000,
)

test(
  'and in a folder, where a second file that was damaged in the output stops the run',
  () =>
    inFolder(async (folder) => {
      const { store, run, addImage, train, sets, first } = await runTwice(folder, 'folder')
      // As long as it was: what was only half written is put anew.
      await store.put(`out/${first}/network/${file}`, Buffer.from(before.data).reverse())
      await train(before)
      // A worker takes what it has from its cache.
      await rm(join(folder, 'cache'), { recursive: true })
      await addImage('b.png')
      const { code, stderr } = await run()
      expect(stderr).toMatch(new RegExp(`${first}/network/${file} has the digest .* put the original file back`))
      expect(code).toBe(2)
      expect(await sets()).toHaveLength(2)
      store.close()
    }),
  60_000,
)

test('what tells the digest of a network tells that of its second file as well, where there is one', () =>
  inFolder(async (folder) => {
    const withSecond = join(folder, 'model.onnx')
    await writeFile(withSecond, before.bytes)
    await writeFile(join(folder, file), before.data)
    const alone = join(folder, 'alone.onnx')
    await writeFile(alone, tinyOnnx().bytes)
    const image = join(imageFolder, imageName)
    const digest = createHash('sha256').update(before.data).digest('hex')
    const json = async (...args: string[]) => {
      const { stdout } = await headlight([...args, '--json'])
      return (JSON.parse(stdout) as { network: unknown }).network
    }
    const check = ['dataset', 'check', imageFolder, '--sheet', join(folder, 'sheet.png')]
    for (const command of [['explain', image], check]) {
      expect(await json(...command, '--network', withSecond)).toMatchObject({
        file: 'model.onnx',
        digest: createHash('sha256').update(before.bytes).digest('hex'),
        externalData: { file, digest },
      })
      expect(await json(...command, '--network', alone)).not.toHaveProperty('externalData')
    }

    const network = loadNetwork(before.bytes, 'model.onnx', undefined, undefined, { file, bytes: before.data })
    expect(inspectNetwork(network).externalData).toEqual({ file, digest })
    expect(renderInspection(network)).toMatch(new RegExp(`its weights +${file}\\n +their SHA-256 +${digest}\\n`))
    expect(inspectNetwork(loadNetwork(tinyOnnx().bytes, 'alone.onnx'))).not.toHaveProperty('externalData')

    const call = { settings: {}, folders: { cache: folder } } as unknown as Call
    expect((await checkNetwork(call, withSecond)).detail).toContain(
      `, and ${file}, 0.0 MB, sha256 ${digest.slice(0, 16)}…, with fc_yaw`,
    )
    expect((await checkNetwork(call, alone)).detail).not.toContain(', and ')
  }))
