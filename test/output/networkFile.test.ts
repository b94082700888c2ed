import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { networkUri, readNetworkFile } from '../../src/output/networkFile.ts'
import { networkFile } from '../support/headlight.ts'
import { startS3Server, type S3Server } from '../support/s3Server.ts'
import { tinyOnnx } from '../support/tinyOnnx.ts'

const checkpoint = readFileSync(networkFile)
const retrained = readFileSync(networkFile.replace('tiny_hp.pkl', 'tiny_hp_fp16.pkl'))
const description = 'input: { resize: stretch }\n'
let server: S3Server
let folder: string

beforeAll(async () => {
  server = await startS3Server({ accessKeyId: 'key', secretAccessKey: 'secret' })
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.close()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-network-'))
  server.objects().clear()
  server.put('models/best.pkl', checkpoint)
  for (const kind of Object.keys(server.counts)) server.counts[kind] = 0
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const uri = 's3://bucket/models/best.pkl'
const read = (given = uri) => readNetworkFile(given, { endpoint: server.endpoint, cacheFolder: folder })

test('a network is the same from a path, a file URI and a bucket', async () => {
  const path = join(folder, 'best.pkl')
  await cp(networkFile, path)
  const [near, byUri, far] = [await read(path), await read(pathToFileURL(path).href), await read()]
  for (const { network, bytes, overrideFile } of [byUri, far]) {
    const { digest, description, file } = near.network
    expect({ ...network, overrideFile }).toMatchObject({ digest, description, file, overrideFile: null })
    expect(Buffer.compare(bytes, checkpoint)).toBe(0)
  }
  expect(near.localPaths).toEqual({ network: path })
  expect(readFileSync(far.localPaths?.network ?? '')).toEqual(checkpoint)
})

test('its description is read from beside it, and errors in it name its place', async () => {
  server.put('models/best.pkl.yaml', description)
  const { network, overrideFile } = await read()
  expect(overrideFile).toBe(`${uri}.yaml`)
  expect(network.description.input.resize).toBe('stretch')
  server.put('models/best.pkl.yaml', 'hedas: []\n')
  await expect(read()).rejects.toMatchObject({
    code: 'bad-description',
    message: expect.stringContaining(`${uri}.yaml:1:1`) as string,
  })
})

describe('a description under a name that is not read', () => {
  const places = ['folder', 'bucket'] as const
  const put = async (place: (typeof places)[number], files: Readonly<Record<string, string>>): Promise<string> => {
    for (const [name, text] of Object.entries(files)) {
      if (place === 'folder') writeFileSync(join(folder, name), text)
      else server.put(`models/${name}`, Buffer.from(text))
    }
    if (place === 'bucket') return uri
    await cp(networkFile, join(folder, 'best.pkl'))
    return join(folder, 'best.pkl')
  }

  test.each(places.flatMap((place) => ['best.pkl.yml', 'best.yaml', 'best.yml'].map((name) => [place, name] as const)))(
    'in a %s, %s is refused',
    async (place, name) => {
      const given = await put(place, { [name]: description })
      await expect(read(given)).rejects.toMatchObject({
        name: 'InputError',
        code: 'bad-description',
        message: `${given.replace('best.pkl', name)} describes a network, but no file of this name is read: did you mean best.pkl.yaml? Rename it, or move it away`,
      })
    },
  )

  test.each(places)('in a %s, beside the right one it is said', async (place) => {
    const { network } = await read(await put(place, { 'best.pkl.yaml': description, 'best.yaml': 'input: {}\n' }))
    expect(network.description.input.resize).toBe('stretch')
    expect(network.notes).toEqual(['best.yaml beside the network is not read; did you mean best.pkl.yaml?'])
  })

  test.each(places)('in a %s, another kind of file is said alone', async (place) => {
    const { network, overrideFile } = await read(await put(place, { 'best.yml': 'lr: 0.1\nepochs: 3\n' }))
    expect(overrideFile).toBeNull()
    expect(network.notes).toEqual(['best.yml beside the network is not read; did you mean best.pkl.yaml?'])
  })
})

// A description of model.onnx lies beside the second file by rights.
test('the second file of an ONNX network is told from the first, whether that is described or not', async () => {
  const given = join(folder, 'model.onnx.data')
  writeFileSync(given, Buffer.alloc(64, 1))
  const message = 'model.onnx.data holds only the weights of an ONNX network: give model.onnx, which lies beside it'
  await expect(read(given)).rejects.toMatchObject({ code: 'bad-checkpoint', message })
  writeFileSync(join(folder, 'model.onnx.yaml'), description)
  await expect(read(given)).rejects.toMatchObject({ code: 'bad-checkpoint', message })
})

test.each(['folder', 'bucket'])('the mean and std of a 3DMM come from a NumPy file in the same %s', async (place) => {
  const beside: readonly (readonly [string, Buffer])[] = [
    ['mb.pth', readFileSync(new URL('../golden/networks/mobilenet_v1_3dmm.pth', import.meta.url))],
    ['mb.pth.yaml', Buffer.from('heads: [{ output: fc_param, kind: pose3dmm, stats: whitening.pkl }]\n')],
    ['whitening.pkl', readFileSync(new URL('../saliency/weights/numpy/whitening.pkl', import.meta.url))],
  ]
  for (const [name, bytes] of beside) {
    if (place === 'folder') writeFileSync(join(folder, name), bytes)
    else server.put(`models/${name}`, bytes)
  }
  const { network } = await read(place === 'folder' ? join(folder, 'mb.pth') : 's3://bucket/models/mb.pth')
  expect(network.description.heads).toEqual([
    {
      kind: 'pose3dmm',
      output: 'fc_param',
      mean: Array.from({ length: 12 }, (_, index) => index / 8),
      std: Array.from({ length: 12 }, (_, index) => index + 1),
    },
  ])
})

test('it is fetched again when its ETag is another, or what was kept is not whole', async () => {
  const gets = async () => {
    const before = server.counts['GET'] ?? 0
    const { network } = await read()
    // One is for the description.
    return { network, fetched: (server.counts['GET'] ?? 0) - before - 1 }
  }
  const first = await gets()
  expect(first.fetched).toBe(1)
  expect((await gets()).fetched).toBe(0)
  server.put('models/best.pkl', retrained)
  const second = await gets()
  expect(second.fetched).toBe(1)
  expect(second.network.digest).not.toBe(first.network.digest)
  writeFileSync(join(folder, 'networks', second.network.digest), 'half')
  expect(await gets()).toMatchObject({ fetched: 1, network: { digest: second.network.digest } })
  expect((await readdir(join(folder, 'networks'))).filter((name) => name.endsWith('.partial'))).toEqual([])
})

test('what cannot be read is said with its place', async () => {
  for (const [given, code, said] of [
    ['s3://bucket/models/none.pkl', 'bad-option', 'the network file s3://bucket/models/none.pkl does not exist'],
    ['s3://bucket/models/', 'bad-uri', 'names a folder'],
    ['s3://nowhere/best.pkl', 'no-such-bucket', 's3://nowhere/best.pkl'],
    ['s3:/bucket/best.pkl', 'bad-uri', 'two slashes'],
    ['gs://bucket/best.pkl', 'bad-uri', 'gs://'],
    ['https://host/best.pkl', 'bad-uri', 's3://bucket/prefix'],
    [join(folder, 'none.pkl'), 'bad-option', 'none.pkl does not exist'],
  ] as const) {
    await expect(read(given)).rejects.toMatchObject({ code, message: expect.stringContaining(said) as string })
  }
  server.put('models/best.pkl', checkpoint.subarray(0, 5_000))
  await expect(read()).rejects.toMatchObject({ code: 'bad-checkpoint' })
})

describe('weights in a second file', () => {
  const second = 'best.onnx.data'
  const farNetwork = 's3://bucket/models/best.onnx'
  /** Puts both files, and no second one where that is left out; gives the network's path or URI. */
  const put = (place: 'folder' | 'bucket', files: Readonly<Record<string, Uint8Array>>): string => {
    for (const [name, bytes] of Object.entries(files)) {
      if (place === 'folder') writeFileSync(join(folder, name), bytes)
      else server.put(`models/${name}`, Buffer.from(bytes))
    }
    return place === 'folder' ? join(folder, 'best.onnx') : farNetwork
  }

  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

  test.each(['folder', 'bucket'] as const)('in a %s, are read with the network', async (place) => {
    const { bytes, data } = tinyOnnx({ externalData: second })
    const found = await read(put(place, { 'best.onnx': bytes, [second]: data }))
    const externalData = { file: second, digest: sha256(data) }
    expect(found.network).toMatchObject({ file: 'best.onnx', digest: sha256(bytes), externalData })
    expect(found.externalData).toEqual({ ...externalData, bytes: Buffer.from(data) })
    const path = found.localPaths?.externalData?.path ?? ''
    expect(found.localPaths?.externalData?.file).toBe(second)
    expect(readFileSync(path)).toEqual(data)
    expect(readFileSync(found.localPaths?.network ?? '')).toEqual(Buffer.from(bytes))
  })

  test('and what an output of such a network leaves open is said as for any other', async () => {
    const { bytes, data } = tinyOnnx({ externalData: second, outputs: { fc_yaw: 91 } })
    await expect(read(put('folder', { 'best.onnx': bytes, [second]: data }))).rejects.toMatchObject({
      code: 'bad-description',
      message: expect.stringMatching(/^best\.onnx: .*91/) as string,
    })
  })

  test('and where there are none, nothing is said of them', async () => {
    const found = await read(put('bucket', { 'best.onnx': tinyOnnx().bytes }))
    expect(found.network).not.toHaveProperty('externalData')
    expect(found).not.toHaveProperty('externalData')
    expect(Object.keys(found.localPaths ?? {})).toEqual(['network'])
  })

  test('are fetched again when their ETag is another, and the network is not', async () => {
    const [first, retrained] = [1, 2].map((seed) => tinyOnnx({ seed, externalData: second }))
    if (first === undefined || retrained === undefined) throw new Error('unreachable')
    const given = put('bucket', { 'best.onnx': first.bytes, [second]: first.data })
    const gets = async () => {
      const before = server.counts['GET'] ?? 0
      const { network } = await read(given)
      // One is for the description.
      return { digest: network.externalData?.digest, fetched: (server.counts['GET'] ?? 0) - before - 1 }
    }
    expect(await gets()).toEqual({ digest: sha256(first.data), fetched: 2 })
    expect(await gets()).toEqual({ digest: sha256(first.data), fetched: 0 })
    put('bucket', { [second]: retrained.data })
    expect(await gets()).toEqual({ digest: sha256(retrained.data), fetched: 1 })
  })

  test.each(['folder', 'bucket'] as const)('in a %s, a missing one is named with where it belongs', async (place) => {
    const given = put(place, { 'best.onnx': tinyOnnx({ externalData: second }).bytes })
    await expect(read(given)).rejects.toMatchObject({
      name: 'InputError',
      code: 'bad-option',
      message: `best.onnx keeps its weights in best.onnx.data, which does not lie beside it: copy it to ${given.slice(0, -'best.onnx'.length)}`,
    })
  })

  test.each(['best.onnx', 'best.onnx.activations.json'])(
    'one called %s, as another file of a result set, is refused',
    async (name) => {
      const { bytes, data } = tinyOnnx({ externalData: name })
      await expect(read(put('folder', { [name]: data, 'best.onnx': bytes }))).rejects.toMatchObject({
        name: 'InputError',
        code: 'unsupported-network',
        message: expect.stringContaining(
          `best.onnx keeps its weights in ${name}, a name that headlight needs`,
        ) as string,
      })
    },
  )

  test('is never read from another folder', async () => {
    const { bytes, data } = tinyOnnx({ externalData: '../best.onnx.data' })
    server.put('best.onnx.data', Buffer.from(data))
    await expect(read(put('bucket', { 'best.onnx': bytes }))).rejects.toMatchObject({ code: 'unsupported-network' })
    expect(server.counts['GET']).toBe(1)
  })
})

test('others find a network by its URI', () => {
  expect(networkUri('/models/best one.pkl')).toBe('file:///models/best%20one.pkl')
  expect(networkUri('file:///models/best.pkl')).toBe('file:///models/best.pkl')
  expect(networkUri(uri)).toBe(uri)
})
