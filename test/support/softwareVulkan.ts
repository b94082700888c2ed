import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where Debian's and Ubuntu's chromium keep SwiftShader, a Vulkan driver in software, and a loader for it. */
const chromiumFolder = '/usr/lib/chromium'
const driver = join(chromiumFolder, 'vk_swiftshader_icd.json')
const loader = join(chromiumFolder, 'libvulkan.so.1')

/** Whether the engine onnxruntime:webgpu can be tested here without a GPU. */
export const hasSoftwareVulkan = existsSync(driver) && existsSync(loader)

/** What a process needs in its environment from its start for WebGPU to find the driver; nothing where there is none. */
export function softwareVulkanEnvironment(): Readonly<Record<string, string>> {
  if (!hasSoftwareVulkan) return {}
  // Alone in a folder: chromium's other libraries must not be found by anybody.
  const folder = fileURLToPath(new URL('../../node_modules/.cache/headlight-vulkan', import.meta.url))
  mkdirSync(folder, { recursive: true })
  try {
    symlinkSync(loader, join(folder, 'libvulkan.so.1'))
  } catch {
    // It stands there from an earlier run.
  }
  return { LD_LIBRARY_PATH: folder, VK_DRIVER_FILES: driver }
}
