import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryFile } from '../../src/worker/memoryFile.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-memory-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const memory = (processBytes: number) => ({ processBytes, deviceBytes: null })

test('what was measured is there for the next one, and the newest counts', async () => {
  const folder = join(await newFolder(), 'cache')
  const file = new MemoryFile(folder)
  void file.remember('a', memory(1))
  void file.remember('b', { processBytes: 2, deviceBytes: 3 })
  await file.remember('a', memory(4))
  const known = await new MemoryFile(folder).read()
  expect([...known]).toEqual([
    ['b', { processBytes: 2, deviceBytes: 3 }],
    ['a', memory(4)],
  ])
  expect(await readdir(folder)).toEqual(['memory.json'])
})

test.each(['', '{', '[]', '{"schema":2,"networks":{}}', '{"schema":1,"networks":{"a":{"processBytes":-1}}}'])(
  'a file that holds %j is as good as none, and is replaced',
  async (content) => {
    const folder = await newFolder()
    await writeFile(join(folder, 'memory.json'), content)
    const file = new MemoryFile(folder)
    expect(await file.read()).toEqual(new Map())
    await file.remember('a', memory(1))
    expect(await file.read()).toEqual(new Map([['a', memory(1)]]))
  },
)

test('a folder that cannot be written costs nothing but the memory of it', async () => {
  const folder = await newFolder()
  await mkdir(join(folder, 'memory.json', 'in the way'), { recursive: true })
  const file = new MemoryFile(folder)
  await file.remember('a', memory(1))
  expect(await file.read()).toEqual(new Map())
  expect(await readdir(folder)).toEqual(['memory.json'])
})

test('the longest known networks are forgotten', async () => {
  const file = new MemoryFile(await newFolder())
  for (let i = 0; i < 203; i++) void file.remember(`network ${i}`, memory(1))
  await file.settled()
  const known = await file.read()
  expect(known.size).toBe(200)
  expect([known.has('network 2'), known.has('network 3')]).toEqual([false, true])
})
