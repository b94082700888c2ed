import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { imageFolder, inFolder, networkFile, startHeadlight } from '../../support/headlight.ts'
import { searchPathWithRedis } from '../../support/redis.ts'

interface Memory {
  readonly networks: Record<string, { processBytes: number; deviceBytes: number | null }>
}

/** The command's calls with one cache folder, and the file in it. */
async function inCache(
  body: (given: {
    folder: string
    call: (...args: string[]) => ReturnType<typeof startHeadlight>['ended']
    memory: () => Promise<Memory>
    remember: (memory: Memory) => Promise<void>
  }) => Promise<void>,
): Promise<void> {
  const PATH = await searchPathWithRedis()
  await inFolder(async (folder) => {
    const cache = join(folder, 'cache')
    const file = join(cache, 'memory.json')
    await mkdir(cache)
    await body({
      folder,
      call: (...args) => startHeadlight([...args, '--cache-folder', cache], { PATH }).ended,
      memory: async () => JSON.parse(await readFile(file, 'utf8')) as Memory,
      remember: (memory) => writeFile(file, JSON.stringify({ ...memory, schema: 1 })),
    })
  })
}

const cpu = ['--engine', 'onnxruntime:cpu'] as const

describe('network inspect says what one unit takes', () => {
  it('measured by a unit, once', () =>
    inCache(async ({ call, memory, remember }) => {
      const first = await call('network', 'inspect', networkFile)
      expect(first).toMatchObject({ code: 0, stderr: '' })
      expect(first.stdout).toMatch(/^ {2}memory {8}\d+ MB for one unit on the CPU \(measured with onnxruntime:cpu\)$/m)
      const [key = ''] = Object.keys((await memory()).networks)
      expect((await memory()).networks[key]?.processBytes).toBeGreaterThan(50e6)
      await remember({ networks: { [key]: { processBytes: 123e6, deviceBytes: 45e6 } } })
      const second = await call('network', 'inspect', networkFile)
      expect(second.stdout).toContain('123 MB for one unit on the CPU, and 45 MB on its GPU (measured with')
    }))

  it('or why it is not known, which is no failure', () =>
    inCache(async ({ call, folder }) => {
      const engines = ['--engines-folder', join(folder, 'engines')]
      const { code, stdout } = await call('network', 'inspect', networkFile, '--json', '--engine', 'tfjs', ...engines)
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({
        architecture: { name: expect.any(String) as string },
        memory: [
          {
            engine: 'tfjs:tensorflow',
            processBytes: null,
            deviceBytes: null,
            problem: expect.stringContaining('headlight engine install tfjs') as string,
          },
        ],
      })
    }))

  it('as a run finds it: each plans with what the other has measured', () =>
    inCache(async ({ call, folder, memory, remember }) => {
      const inspected = await call('network', 'inspect', networkFile, '--json', ...cpu)
      const { networks } = await memory()
      expect(JSON.parse(inspected.stdout)).toMatchObject({
        memory: [{ engine: 'onnxruntime:cpu', ...Object.values(networks)[0], problem: null }],
      })
      const key = Object.keys(networks)[0] ?? ''
      await remember({ networks: { [key]: { processBytes: 1e15, deviceBytes: null } } })
      const to = ['--output', join(folder, 'out'), '--state-folder', join(folder, 'state'), '--log-level', 'info']
      const { code, stderr } = await call('run', '--dataset', imageFolder, '--network', networkFile, ...to, ...cpu)
      expect(code).toBe(0)
      expect(stderr).toContain('a unit takes 1000000.0 GB for tiny_hp.pkl: even one is more than fits')
      const { networks: after } = await memory()
      expect(Object.keys(after)).toEqual([key])
      expect(after[key]?.processBytes).toBeLessThan(1e9)
    }))
})
