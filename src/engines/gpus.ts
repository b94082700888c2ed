import { existsSync, readdirSync } from 'node:fs'
import { runProgram } from './runProgram.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them: those that it names (a batch system gives
 * each job its own; indices or UUIDs), else the indices of all that the driver shows, in the order of PCI_BUS_ID. None
 * without a driver. The driver's own list alone would hand out the GPUs of other jobs: nvidia-smi minds no such variable.
 */
export async function nvidiaGpus(environment: Environment): Promise<string[]> {
  const listed = await runProgram('nvidia-smi', ['--query-gpu=index', '--format=csv,noheader'], {
    timeoutMs: 20_000,
  }).catch(() => '')
  const shown = listed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^\d+$/.test(line))
  const visible = environment['CUDA_VISIBLE_DEVICES']
  return visible === undefined || shown.length === 0 ? shown : visibleDevices(visible)
}

/** CUDA's own rule: the first entry that is none (`-1` is the usual one) ends the list. */
export function visibleDevices(list: string): string[] {
  const entries = list.split(',').map((entry) => entry.trim())
  const end = entries.findIndex((entry) => !/^(\d+|(GPU|MIG)-[\w/-]+)$/.test(entry))
  return end === -1 ? entries : entries.slice(0, end)
}

/** Whether the kernel offers a device that draws or computes: what WebGPU could find through Vulkan. */
export function hasRenderDevice(): boolean {
  const folder = '/dev/dri'
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('renderD'))
}
