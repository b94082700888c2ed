import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { engineEnvironment } from '../../src/machine/engineEnvironment.ts'
import { hasRenderDevice, nvidiaGpus, visibleDevices } from '../../src/machine/gpus.ts'

const gpu = (index: number) => `GPU ${index}: NVIDIA H100 80GB HBM3 (UUID: GPU-5f1c-${index})\n`
const part = (name: string) => `  MIG 1g.10gb     Device  0: (UUID: MIG-${name})\n`

describe('the GPUs that may be used', () => {
  let folder: string
  const driver = (says: string, code = 0): void => {
    const program = join(folder, 'nvidia-smi')
    writeFileSync(program, `#!/bin/sh\ncat <<'.'\n${says}.\nexit ${code}\n`)
    chmodSync(program, 0o755)
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headlight-gpus-'))
    driver(gpu(0) + gpu(1) + gpu(2) + gpu(3))
    vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  it('are all that the driver shows', async () => {
    expect(await nvidiaGpus({})).toEqual({ gpus: ['0', '1', '2', '3'], problem: null })
  })

  it('are none but those that were given to this process', async () => {
    expect(await nvidiaGpus({ CUDA_VISIBLE_DEVICES: '2,3' })).toEqual({ gpus: ['2', '3'], problem: null })
    const problem = expect.stringContaining('CUDA_VISIBLE_DEVICES="" leaves none') as string
    expect(await nvidiaGpus({ CUDA_VISIBLE_DEVICES: '' })).toEqual({ gpus: [], problem })
  })

  it('are none without a driver', async () => {
    vi.stubEnv('PATH', '/nowhere')
    expect(await nvidiaGpus({})).toEqual({ gpus: [], problem: null })
    expect(await nvidiaGpus({ CUDA_VISIBLE_DEVICES: '0' })).toEqual({ gpus: [], problem: null })
  })

  it('are the parts of one that is cut up, and the others whole', async () => {
    driver(gpu(0) + part('a') + part('b') + gpu(1))
    expect((await nvidiaGpus({})).gpus).toEqual(['MIG-a', 'MIG-b', '1'])
  })

  it('are those that are left when the driver has lost one, or cannot be talked to, and it says so', async () => {
    driver(`${gpu(0)}Unable to determine the device handle for gpu 0000:41:00.0: GPU is lost\n${gpu(2)}`, 15)
    expect(await nvidiaGpus({})).toEqual({
      gpus: ['0', '2'],
      problem: expect.stringMatching(/^nvidia-smi failed: .*is lost$/) as string,
    })
    driver('Failed to initialize NVML: Driver/library version mismatch\n', 18)
    expect(await nvidiaGpus({})).toEqual({
      gpus: [],
      problem: 'nvidia-smi failed: Failed to initialize NVML: Driver/library version mismatch',
    })
  })

  it("may be another maker's, but not a virtual machine's screen", () => {
    for (const [name, driver] of [
      ['card0', 'amdgpu'],
      ['renderD128', 'virtio_gpu'],
      ['renderD129', 'amdgpu'],
    ] as const) {
      expect(hasRenderDevice(join(folder, 'drm'))).toBe(false)
      mkdirSync(join(folder, 'drivers', driver), { recursive: true })
      mkdirSync(join(folder, 'drm', name, 'device'), { recursive: true })
      symlinkSync(join(folder, 'drivers', driver), join(folder, 'drm', name, 'device', 'driver'))
    }
    expect(hasRenderDevice(join(folder, 'drm'))).toBe(true)
  })
})

it.each([
  ['0, 1', ['0', '1']],
  ['GPU-8932f937-d72c,MIG-GPU-8932/1/0', ['GPU-8932f937-d72c', 'MIG-GPU-8932/1/0']],
  ['-1', []],
  ['1,-1,2', ['1']],
])('CUDA_VISIBLE_DEVICES=%s', (list, devices) => {
  expect(visibleDevices(list)).toEqual(devices)
})

it("a unit sees its own GPU, counted as the driver counts or as the caller's devices were", () => {
  const given = { engine: 'onnxruntime:cuda', enginesFolder: '/engines', device: '1' } as const
  expect(engineEnvironment({}, given)).toMatchObject({ CUDA_VISIBLE_DEVICES: '1', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' })
  const chosen = engineEnvironment({ CUDA_VISIBLE_DEVICES: '1,2' }, given)
  expect(chosen['CUDA_VISIBLE_DEVICES']).toBe('1')
  expect(chosen).not.toHaveProperty('CUDA_DEVICE_ORDER')
})

it('an engine on a GPU computes in whole float32 and leaves memory to others, unless told otherwise', () => {
  const given = { enginesFolder: '/engines', device: null }
  expect(engineEnvironment({}, { ...given, engine: 'onnxruntime:cuda' })).toEqual({
    LD_LIBRARY_PATH: '/engines/onnxruntime-cuda/libraries:/engines/onnxruntime-cuda/libraries/absent',
    NVIDIA_TF32_OVERRIDE: '0',
  })
  expect(engineEnvironment({}, { ...given, engine: 'tfjs:tensorflow' })).toEqual({
    NVIDIA_TF32_OVERRIDE: '0',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  })
  const told = { NVIDIA_TF32_OVERRIDE: '1', TF_FORCE_GPU_ALLOW_GROWTH: 'false' }
  expect(engineEnvironment(told, { ...given, engine: 'tfjs:tensorflow' })).toEqual(told)
})

it('each of the two engines on NVIDIA GPUs finds its own libraries, and none of the other', () => {
  const enginesFolder = mkdtempSync(join(tmpdir(), 'headlight-engines-'))
  onTestFinished(() => rmSync(enginesFolder, { recursive: true }))
  mkdirSync(join(enginesFolder, 'tfjs', 'libraries'), { recursive: true })
  const base = { LD_LIBRARY_PATH: '/mine' }
  const paths = (['onnxruntime:cuda', 'tfjs:tensorflow'] as const).map(
    (engine) => engineEnvironment(base, { engine, enginesFolder, device: null })['LD_LIBRARY_PATH'],
  )
  expect(paths).toEqual([
    `${enginesFolder}/onnxruntime-cuda/libraries:${enginesFolder}/onnxruntime-cuda/libraries/absent:/mine`,
    `${enginesFolder}/tfjs/libraries:/mine`,
  ])
})

it('WebGPU sees a Vulkan driver in software only where one was named', () => {
  const given = { engine: 'onnxruntime:webgpu', enginesFolder: '/engines', device: null } as const
  expect(engineEnvironment({}, given)).toEqual({ VK_LOADER_DRIVERS_DISABLE: '*lvp*,*swiftshader*' })
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_LOADER_DRIVERS_DISABLE']) {
    expect(engineEnvironment({ [name]: 'mine' }, given)).toEqual({ [name]: 'mine' })
  }
})
