import { describe, expect, it } from 'vitest'
import { chooseEngine, type Machine } from '../../src/machine/chooseEngine.ts'
import type { EngineName } from '../../src/saliency/engines/openEngine.ts'

const works = { ok: true, version: '1', device: 'a GPU' } as const
const missing = { ok: false, problem: 'it is not installed' } as const

function machine(
  gpus: string[],
  probes: Partial<Record<EngineName, Awaited<ReturnType<Machine['probe']>>>>,
  problem: string | null = null,
): Machine {
  return {
    nvidiaGpus: () => Promise.resolve({ gpus, problem }),
    hasRenderDevice: () => gpus.length > 0 || 'onnxruntime:webgpu' in probes,
    probe: (engine) => Promise.resolve(probes[engine] ?? missing),
  }
}

describe('auto', () => {
  it('takes the CPU where there is no GPU, without trying anything', async () => {
    const none = { ...machine([], {}), probe: () => Promise.reject(new Error('tried')) }
    expect(await chooseEngine('auto', none)).toEqual({
      engine: 'onnxruntime:cpu',
      reason: 'no GPU is found',
      gpus: [],
    })
  })

  it('says what is wrong with the driver, whether no GPU is left or some', async () => {
    const problem = 'nvidia-smi failed: GPU is lost'
    expect((await chooseEngine('auto', machine([], {}, problem))).reason).toBe(problem)
    const some = machine(['0'], { 'onnxruntime:cuda': works }, problem)
    expect((await chooseEngine('auto', some)).reason).toBe(`it works on a GPU (${problem})`)
    expect((await chooseEngine('onnxruntime:cuda', some)).reason).toBe(`it was asked for (${problem})`)
  })

  it('takes the first engine that works on an NVIDIA GPU', async () => {
    expect(await chooseEngine('auto', machine(['0', '1'], { 'onnxruntime:cuda': works }))).toEqual({
      engine: 'onnxruntime:cuda',
      reason: 'it works on a GPU',
      gpus: ['0', '1'],
    })
    const tfjs = machine(['0'], { 'tfjs:tensorflow': works, 'onnxruntime:webgpu': works })
    expect(await chooseEngine('auto', tfjs)).toMatchObject({ engine: 'tfjs:tensorflow' })
  })

  it('does not take TensorFlow.js that sees no GPU', async () => {
    const probes = { 'tfjs:tensorflow': { ...works, device: 'the CPU' }, 'onnxruntime:webgpu': works }
    expect(await chooseEngine('auto', machine(['0'], probes))).toMatchObject({ engine: 'onnxruntime:webgpu', gpus: [] })
  })

  it('takes WebGPU on a GPU of another maker', async () => {
    expect(await chooseEngine('auto', machine([], { 'onnxruntime:webgpu': works }))).toMatchObject({
      engine: 'onnxruntime:webgpu',
    })
  })

  it('says why it computes on the CPU beside a GPU', async () => {
    const chosen = await chooseEngine('auto', machine(['0'], {}))
    expect(chosen.engine).toBe('onnxruntime:cpu')
    expect(chosen.reason).toMatch(/there is a GPU.*onnxruntime:cuda: it is not installed.*headlight engine list/)
  })
})

describe('the GPUs that are asked for', () => {
  const three = (probes: Parameters<typeof machine>[1]) => {
    const tried: (string | null)[] = []
    const there = machine(['0', '1', '2'], probes)
    const probe: Machine['probe'] = (engine, device) => {
      tried.push(device)
      return there.probe(engine, device)
    }
    return { tried, there: { ...there, probe } }
  }

  it('are taken, and the first of them is the one that an engine is tried on', async () => {
    const { tried, there } = three({ 'onnxruntime:cuda': works })
    expect(await chooseEngine('auto', there, '2, 1')).toMatchObject({ engine: 'onnxruntime:cuda', gpus: ['2', '1'] })
    expect(tried).toEqual(['2'])
    expect(await chooseEngine('auto', there, 'all')).toMatchObject({ gpus: ['0', '1', '2'] })
    expect(await chooseEngine('onnxruntime:cuda', there, '1')).toMatchObject({ gpus: ['1'] })
  })

  it('must be there, and the engine must be able to take them', async () => {
    const { tried, there } = three({ 'onnxruntime:webgpu': works })
    const refused = (gpus: string, message: string, engine = 'auto') =>
      expect(chooseEngine(engine, there, gpus)).rejects.toMatchObject({
        code: 'bad-option',
        message: expect.stringContaining(message),
      })
    await refused('1,7', 'there is no GPU 7 here, only 0, 1, 2')
    expect(tried).toEqual([])
    await refused('1', 'onnxruntime:webgpu: it chooses its device by itself')
    await refused('1', 'onnxruntime:cpu: it was asked for', 'onnxruntime:cpu')
    await expect(chooseEngine('auto', machine([], {}), '0')).rejects.toMatchObject({
      message: '--gpus 0 cannot be had with the engine onnxruntime:cpu: no GPU is found',
    })
  })
})

it('what is asked for is taken, whatever there is', async () => {
  expect(await chooseEngine('tfjs', machine(['0'], {}))).toEqual({
    engine: 'tfjs:tensorflow',
    reason: 'it was asked for',
    gpus: ['0'],
  })
  const cpuBuild = machine(['0'], { 'tfjs:tensorflow': { ...works, device: 'the CPU' } })
  expect(await chooseEngine('tfjs', cpuBuild)).toMatchObject({
    engine: 'tfjs:tensorflow',
    reason: expect.stringContaining('install tfjs --cuda'),
    gpus: [],
  })
  await expect(chooseEngine('theano', machine([], {}))).rejects.toMatchObject({ code: 'bad-engine' })
})
