import { describeEngine, describeNotRun, everything } from '../../support/engineConformance.ts'
import { hasSoftwareVulkan } from '../../support/softwareVulkan.ts'

const engine = 'onnxruntime:webgpu'

if (hasSoftwareVulkan) {
  describeEngine({
    ...everything,
    engine,
    // On a driver in software the shaders alone take fifteen seconds for each program.
    scopes: ['all'],
    objectives: ['sum'],
    images: 1,
    batch: 1,
  })
} else {
  describeNotRun(engine, 'there is no software Vulkan driver; apt install chromium-common brings SwiftShader')
}
