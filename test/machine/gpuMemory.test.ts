import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { gpuMemoryUsed } from '../../src/machine/gpuMemory.ts'

const mebibytes = (count: number) => count * 2 ** 20

describe('the memory used on a GPU', () => {
  let folder: string
  /** A stand-in for nvidia-smi; it answers this one question only. */
  const driver = (says: string, code = 0): void => {
    const program = join(folder, 'nvidia-smi')
    const asked = '--query-gpu=index,uuid,memory.used,memory.total --format=csv,noheader,nounits'
    writeFileSync(program, `#!/bin/sh\n[ "$*" = "${asked}" ] || exit 2\ncat <<'.'\n${says}.\nexit ${code}\n`)
    chmodSync(program, 0o755)
  }
  const first = '0, GPU-5f1c, 1024, 81559\n'
  const second = '1, GPU-77aa, 7, 81559\n'

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headlight-gpus-'))
    driver(first + second)
    vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  it('is that of the one that the process may see, by number or by the beginning of its UUID', async () => {
    expect(await gpuMemoryUsed({ CUDA_VISIBLE_DEVICES: '1', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' })).toBe(mebibytes(7))
    expect(await gpuMemoryUsed({ CUDA_VISIBLE_DEVICES: 'GPU-5f' })).toBe(mebibytes(1024))
  })

  it('is that of the only one there is', async () => {
    driver(first)
    expect(await gpuMemoryUsed({})).toBe(mebibytes(1024))
    expect(await gpuMemoryUsed({ CUDA_VISIBLE_DEVICES: '0' })).toBe(mebibytes(1024))
  })

  it('is not known where the GPU is not: several, a number in an order of its own, a part, none', async () => {
    for (const environment of [{}, ...['1', 'MIG-1', '7', '-1', ''].map((id) => ({ CUDA_VISIBLE_DEVICES: id }))])
      expect(await gpuMemoryUsed(environment)).toBeNull()
  })

  it('is not known where the driver does not tell, fails or is not there', async () => {
    const environment = { CUDA_VISIBLE_DEVICES: '0', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }
    driver('0, GPU-5f1c, [N/A], [N/A]\n')
    expect(await gpuMemoryUsed(environment)).toBeNull()
    driver(first, 9)
    expect(await gpuMemoryUsed(environment)).toBeNull()
    vi.stubEnv('PATH', '/nowhere')
    expect(await gpuMemoryUsed(environment)).toBeNull()
  })
})
