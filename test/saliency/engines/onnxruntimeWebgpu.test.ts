import { afterAll, beforeAll } from 'vitest'
import type { Executor } from '../../../src/saliency/engines/engine.ts'
import { findEngine } from '../../../src/saliency/engines/openEngine.ts'
import { make } from '../../../src/saliency/ops.ts'
import { describeEngine, describeNotRun } from '../../support/engineConformance.ts'
import { hasSoftwareVulkan } from '../../support/softwareVulkan.ts'

const engine = 'onnxruntime:webgpu'

if (hasSoftwareVulkan) {
  // Compiled shaders last as long as anybody has the device open.
  let open: Executor
  beforeAll(async () => {
    const x = make('input', [], { name: 'x', shape: [1], dtype: 'float32' })
    open = await (await findEngine(engine))({ outputs: new Map([['y', make('relu', [x], {})]]) }, { intraOpThreads: 1 })
  })
  afterAll(() => open.dispose())
  describeEngine({ engine })
} else {
  describeNotRun(engine, 'there is no software Vulkan driver; apt install chromium-common brings SwiftShader')
}
