import { execFile } from 'node:child_process'
import { visibleDevices } from './gpus.ts'

/** What decides which GPU a process computes on. */
export interface GpuEnvironment {
  readonly CUDA_VISIBLE_DEVICES?: string | undefined
  readonly CUDA_DEVICE_ORDER?: string | undefined
}

export function gpuEnvironment(environment: GpuEnvironment): GpuEnvironment {
  const { CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER } = environment
  return { CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER }
}

const query = ['--query-gpu=index,uuid,memory.used,memory.total', '--format=csv,noheader,nounits']
const timeoutMs = 10_000
const bytesPerMebibyte = 2 ** 20

/**
 * How many bytes of its memory are used on the one GPU that a process with this environment computes on, by whoever uses
 * them. Null where nvidia-smi does not tell, or cannot tell which GPU that is. Never rejects.
 */
export async function gpuMemoryUsed(environment: GpuEnvironment): Promise<number | null> {
  const listed = await new Promise<string>((resolve) => {
    execFile('nvidia-smi', query, { timeout: timeoutMs }, (error, stdout) => resolve(error ? '' : stdout))
  })
  const gpus = listed.split('\n').flatMap((line) => {
    const [index = '', uuid = '', used = ''] = line.split(',').map((cell) => cell.trim())
    return /^\d+$/.test(index) ? [{ index, uuid, used: /^\d+$/.test(used) ? Number(used) : null }] : []
  })
  const used = ownOf(gpus, environment)?.used ?? null
  return used === null ? null : used * bytesPerMebibyte
}

function ownOf<T extends { index: string; uuid: string }>(
  gpus: readonly T[],
  environment: GpuEnvironment,
): T | undefined {
  const visible = environment.CUDA_VISIBLE_DEVICES
  if (visible === undefined) return gpus.length === 1 ? gpus[0] : undefined
  const [device = ''] = visibleDevices(visible)
  if (!/^\d+$/.test(device)) {
    // CUDA takes the beginning of a UUID, too. A part of a GPU (MIG) is not in this list.
    return device === '' ? undefined : gpus.find(({ uuid }) => uuid.startsWith(device))
  }
  // nvidia-smi counts in the order of the bus, CUDA by itself the fastest first.
  const isCountedAlike = gpus.length === 1 || environment.CUDA_DEVICE_ORDER === 'PCI_BUS_ID'
  return isCountedAlike ? gpus.find(({ index }) => index === device) : undefined
}
