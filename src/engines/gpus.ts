import { existsSync, readdirSync } from 'node:fs'
import { runProgram } from './runProgram.ts'

/** Indices of the NVIDIA GPUs that the driver shows, as CUDA_VISIBLE_DEVICES takes them; none without a driver. */
export async function nvidiaGpus(): Promise<string[]> {
  const listed = await runProgram('nvidia-smi', ['--query-gpu=index', '--format=csv,noheader'], {
    timeoutMs: 20_000,
  }).catch(() => '')
  return listed
    .split('\n')
    .filter((line) => /^\d+$/.test(line.trim()))
    .map((line) => line.trim())
}

/** Whether the kernel offers a device that draws or computes: what WebGPU could find through Vulkan. */
export function hasRenderDevice(): boolean {
  const folder = '/dev/dri'
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('renderD'))
}
