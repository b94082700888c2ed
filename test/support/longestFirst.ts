import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The files that take longest, in that order: what is long must not begin last, when nothing is left to run beside it. A
 * clean clone has no times of earlier runs.
 */
const longest = [
  // It fetches TensorFlow and two versions of Node where they can be had.
  'saliency/engines/tfjsTensorflow',
  'kill/kill',
  'bench/gpuRehearsal',
  'saliency/engines/onnxruntimeWebgpu',
  'worker/memory',
  'infra/redisAccess',
  'cli/sameAngles',
  'cli/commands/run',
  'worker/worker',
  'infra/terraform',
  'cli/closedOutput',
  'bench/gpu',
  'cli/commands/secondFile',
  'queue/privateRedisKilled',
  'cli/health/health',
  'producer/queueMemory',
  'serve/browser/screens',
  'cli/commands/tfjsPeer',
  'cli/twoProducers',
  'serve/browser/journey',
  'serve/browser/sample',
  'serve/browser/browse',
  'cli/commands/explainSample',
  'cli/cluster',
  'producer/failover',
  'baseline/json',
  'infra/observability',
  'saliency/engines/tfjsWasm',
  'saliency/engines/onnxruntimeCpu',
].map((name) => fileURLToPath(new URL(`../${name}.test.ts`, import.meta.url)))
const gone = longest.find((path) => !existsSync(path))
if (gone !== undefined) throw new Error(`${gone} is not there any more: take it out of the list in longestFirst.ts`)

/** Long files first, then others with a process of their own, then those that share one. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const place = longest.indexOf(moduleId)
      if (place >= 0) return place
      return longest.length + Number(!project.config.isolate)
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}
