import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { engineEnvironment } from '../../src/engines/engineEnvironment.ts'
import { nvidiaGpus, visibleDevices } from '../../src/engines/gpus.ts'

describe('the GPUs that may be used', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headlight-gpus-'))
    const program = join(folder, 'nvidia-smi')
    writeFileSync(program, '#!/bin/sh\nprintf "0\\n1\\n2\\n3\\n"\n')
    chmodSync(program, 0o755)
    vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  it('are all that the driver shows', async () => {
    expect(await nvidiaGpus({})).toEqual(['0', '1', '2', '3'])
  })

  it('are none but those that were given to this process', async () => {
    expect(await nvidiaGpus({ CUDA_VISIBLE_DEVICES: '2,3' })).toEqual(['2', '3'])
    expect(await nvidiaGpus({ CUDA_VISIBLE_DEVICES: '' })).toEqual([])
  })

  it('are none without a driver', async () => {
    vi.stubEnv('PATH', '/nowhere')
    expect(await nvidiaGpus({})).toEqual([])
    expect(await nvidiaGpus({ CUDA_VISIBLE_DEVICES: '0' })).toEqual([])
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
    LD_LIBRARY_PATH: '/engines/onnxruntime-cuda/libraries',
    NVIDIA_TF32_OVERRIDE: '0',
  })
  expect(engineEnvironment({}, { ...given, engine: 'tfjs:tensorflow' })).toEqual({
    NVIDIA_TF32_OVERRIDE: '0',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  })
  const told = { NVIDIA_TF32_OVERRIDE: '1', TF_FORCE_GPU_ALLOW_GROWTH: 'false' }
  expect(engineEnvironment(told, { ...given, engine: 'tfjs:tensorflow' })).toEqual(told)
})

it('WebGPU sees a Vulkan driver in software only where one was named', () => {
  const given = { engine: 'onnxruntime:webgpu', enginesFolder: '/engines', device: null } as const
  expect(engineEnvironment({}, given)).toEqual({ VK_LOADER_DRIVERS_DISABLE: '*lvp*,*swiftshader*' })
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_LOADER_DRIVERS_DISABLE']) {
    expect(engineEnvironment({ [name]: 'mine' }, given)).toEqual({ [name]: 'mine' })
  }
})
