import { execFile } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** The GPUs there are for this process, and why there are none or fewer than one might expect; null where nothing is amiss. */
export interface NvidiaGpus {
  readonly gpus: readonly string[]
  readonly problem: string | null
}

/**
 * The NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them: those that it names (a batch system gives
 * each job its own; indices or UUIDs), else all that the driver shows: indices, in the order of PCI_BUS_ID, or for a GPU
 * that is cut up (MIG) the UUIDs of its parts, of which a process can use only one. None without a driver. The driver's own
 * list alone would hand out the GPUs of other jobs: nvidia-smi minds no such variable.
 */
export async function nvidiaGpus(environment: Environment): Promise<NvidiaGpus> {
  const { listed, problem } = await driversList()
  const shown = devicesIn(listed)
  const visible = environment['CUDA_VISIBLE_DEVICES']
  if (visible === undefined || shown.length === 0) return { gpus: shown, problem }
  const gpus = visibleDevices(visible)
  return { gpus, problem: gpus.length > 0 ? problem : `CUDA_VISIBLE_DEVICES="${visible}" leaves none of the GPUs` }
}

/** What `nvidia-smi -L` lists. When one GPU is lost it fails, but lists the others. */
async function driversList(): Promise<{ listed: string; problem: string | null }> {
  return new Promise((resolve) => {
    execFile('nvidia-smi', ['-L'], { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error === null) return resolve({ listed: stdout, problem: null })
      if (error.code === 'ENOENT') return resolve({ listed: '', problem: null })
      const said = `${stderr}\n${stdout}`
        .split('\n')
        .find((line) => line.trim() !== '' && !/^\s*(GPU \d|MIG )/.test(line))
      resolve({ listed: stdout, problem: `nvidia-smi failed: ${said?.trim() ?? error.message}` })
    })
  })
}

function devicesIn(listed: string): string[] {
  const devices: { index: string; parts: string[] }[] = []
  for (const line of listed.split('\n')) {
    const index = /^GPU (\d+): .*\(UUID: /.exec(line)?.[1]
    const part = /^\s+MIG .*\(UUID: (MIG-[^)]+)\)/.exec(line)?.[1]
    if (index !== undefined) devices.push({ index, parts: [] })
    else if (part !== undefined) devices.at(-1)?.parts.push(part)
  }
  return devices.flatMap(({ index, parts }) => (parts.length === 0 ? [index] : parts))
}

/** CUDA's own rule: the first entry that is none (`-1` is the usual one) ends the list. */
export function visibleDevices(list: string): string[] {
  const entries = list.split(',').map((entry) => entry.trim())
  const end = entries.findIndex((entry) => !/^(\d+|(GPU|MIG)-[\w/-]+)$/.test(entry))
  return end === -1 ? entries : entries.slice(0, end)
}

/** Kernel drivers of screens that are no GPU: a virtual machine's, a server's console. Vulkan there is software. */
const virtualDrivers = [
  'virtio',
  'virtio_gpu',
  'virtio-pci',
  'vgem',
  'vkms',
  'vmwgfx',
  'bochs-drm',
  'qxl',
  'ast',
  'mgag200',
  'hyperv_drm',
]

/** Whether the kernel offers a GPU that draws or computes: what WebGPU could find through Vulkan. */
export function hasRenderDevice(folder = '/sys/class/drm'): boolean {
  if (!existsSync(folder)) return false
  return readdirSync(folder)
    .filter((name) => name.startsWith('renderD'))
    .some((name) => {
      const driver = join(folder, name, 'device', 'driver')
      return existsSync(driver) && !virtualDrivers.includes(basename(realpathSync(driver)))
    })
}
