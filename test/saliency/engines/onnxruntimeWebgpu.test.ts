import { describeEngine, describeNotRun } from '../../support/engineConformance.ts'
import { hasSoftwareVulkan } from '../../support/softwareVulkan.ts'

const engine = 'onnxruntime:webgpu'

if (hasSoftwareVulkan) {
  describeEngine({ engine })
} else {
  describeNotRun(engine, 'there is no software Vulkan driver; apt install chromium-common brings SwiftShader')
}
