import { describe, expect, it } from 'vitest'
import { chooseEngine, thisMachine, type Machine } from '../../src/machine/chooseEngine.ts'
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

  it('says what is to be known of the one that it takes', async () => {
    const aged = { ...works, note: 'another headlight installed it' }
    const { engine, reason } = await chooseEngine('auto', machine(['0'], { 'onnxruntime:cuda': aged }, 'one is lost'))
    expect(engine).toBe('onnxruntime:cuda')
    expect(reason).toBe('it works on a GPU (another headlight installed it; one is lost)')
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

describe('every GPU that is to be used', () => {
  const outOfMemory = { ok: false, problem: 'out of memory' } as const

  it('is tried by itself, and side by side with the others', async () => {
    const tried: [string, string | null][] = []
    let begun = () => {}
    const allBegun = new Promise<void>((resolve) => (begun = resolve))
    const there: Machine = {
      ...machine(['0', '1', '2'], {}),
      probe: async (engine, device) => {
        tried.push([engine, device])
        if (tried.length === 3) begun()
        await allBegun
        return works
      },
    }
    expect(await chooseEngine('auto', there)).toMatchObject({ engine: 'onnxruntime:cuda', gpus: ['0', '1', '2'] })
    expect(tried).toEqual(['0', '1', '2'].map((gpu) => ['onnxruntime:cuda', gpu]))
  })

  it('is left out where the engine fails on it, and the reason says which and why', async () => {
    const four = machine(['0', '1', '2', '3'], {}, 'nvidia-smi failed: GPU is lost')
    const answers: Record<string, Awaited<ReturnType<Machine['probe']>>> = {
      '1': outOfMemory,
      '2': { ok: false, problem: 'no answer' },
      '3': outOfMemory,
    }
    const there: Machine = { ...four, probe: (_, device) => Promise.resolve(answers[device ?? ''] ?? works) }
    for (const asked of [undefined, 'all']) {
      expect(await chooseEngine('auto', there, asked)).toEqual({
        engine: 'onnxruntime:cuda',
        reason:
          'it works on a GPU (nvidia-smi failed: GPU is lost; left out GPUs 1, 3: out of memory; left out GPU 2: no answer)',
        gpus: ['0'],
      })
    }
  })

  it('is refused where it was named and the engine fails on it', async () => {
    const there: Machine = {
      ...machine(['0', '1', '2'], {}),
      probe: (_, device) => Promise.resolve(device === '1' ? outOfMemory : works),
    }
    await expect(chooseEngine('auto', there, '0,1,2')).rejects.toMatchObject({
      name: 'InputError',
      code: 'bad-option',
      message:
        '--gpus 0,1,2 cannot be had: onnxruntime:cuda works on GPUs 0, 2, but not on GPU 1: out of memory (mend that, or leave it out of --gpus)',
    })
    expect(await chooseEngine('auto', there, '2,0')).toMatchObject({ gpus: ['2', '0'] })
  })

  it('may be named twice, for two units, and is tried once', async () => {
    const tried: (string | null)[] = []
    const there: Machine = {
      ...machine(['0', '1'], {}),
      probe: (_, device) => {
        tried.push(device)
        return Promise.resolve(works)
      },
    }
    expect(await chooseEngine('auto', there, '1,1')).toMatchObject({ gpus: ['1', '1'] })
    expect(tried).toEqual(['1'])
  })

  it('does not repeat what is wrong with all of them', async () => {
    const { reason } = await chooseEngine('auto', machine(['0', '1', '2', '3', '4', '5', '6', '7'], {}))
    expect(reason.match(/onnxruntime:cuda: it is not installed; tfjs/g)).toHaveLength(1)
    expect(reason).not.toMatch(/GPUs? \d/)
    const mixed: Machine = {
      ...machine(['0', '1', '2'], {}),
      probe: (_, device) => Promise.resolve(device === '1' ? outOfMemory : missing),
    }
    expect((await chooseEngine('auto', mixed)).reason).toContain(
      'tfjs:tensorflow: GPUs 0, 2: it is not installed, GPU 1: out of memory;',
    )
  })
})

describe('the GPUs that are asked for', () => {
  const three = (probes: Parameters<typeof machine>[1]) => {
    const tried: (readonly [EngineName, string | null])[] = []
    const there = machine(['0', '1', '2'], probes)
    const probe: Machine['probe'] = (engine, device) => {
      tried.push([engine, device])
      return there.probe(engine, device)
    }
    return { tried, there: { ...there, probe } }
  }

  it('are taken, and the engine is tried on no others', async () => {
    const { tried, there } = three({ 'onnxruntime:cuda': works })
    expect(await chooseEngine('auto', there, '2, 1')).toMatchObject({ engine: 'onnxruntime:cuda', gpus: ['2', '1'] })
    expect(tried.map(([, device]) => device)).toEqual(['2', '1'])
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
    await refused('1', 'onnxruntime:webgpu: it chooses its device by itself', 'onnxruntime:webgpu')
    await refused('1', 'onnxruntime:cpu: it computes on the CPU', 'onnxruntime:cpu')
    await expect(chooseEngine('onnxruntime:cuda', machine([], {}), '0')).rejects.toMatchObject({
      message: '--gpus 0 cannot be had with the engine onnxruntime:cuda: no NVIDIA GPU is found',
    })
    await expect(chooseEngine('auto', machine([], { 'onnxruntime:webgpu': works }), '0')).rejects.toMatchObject({
      message: '--gpus 0 cannot be had: no NVIDIA GPU is found',
    })
  })

  it('are refused with the reasons of the NVIDIA engines, and WebGPU is not tried', async () => {
    const { tried, there } = three({
      'tfjs:tensorflow': { ...works, device: 'the CPU' },
      'onnxruntime:webgpu': works,
    })
    await expect(chooseEngine('auto', there, '1,2')).rejects.toMatchObject({
      code: 'bad-option',
      message:
        '--gpus 1,2 cannot be had: no engine can use GPUs 1, 2 (onnxruntime:cuda: it is not installed; tfjs:tensorflow: it sees no GPU; headlight engine list says more)',
    })
    expect(tried.map(([engine]) => engine)).not.toContain('onnxruntime:webgpu')
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

it('an engine that is not installed is not tried in a process', async () => {
  // No process of Node starts with that.
  const machineHere = thisMachine('/nonexistent', { NODE_OPTIONS: '--no-such-option' }, 1_000)
  expect(await machineHere.probe('onnxruntime:cuda', '0')).toEqual({
    ok: false,
    problem: 'the engine onnxruntime:cuda is not installed: headlight engine install cuda',
  })
})
