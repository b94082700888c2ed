import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Draft } from './syntheticCheckpoint.ts'

/** Networks that people have, with seeded weights, in the names that their checkpoints bear; networks.py has the same. */
const drafts = {
  'ResNet-18': (draft: Draft) => {
    const features = resNet(draft, 'basic', [2, 2, 2, 2])
    for (const angle of ['yaw', 'pitch', 'roll']) draft.linear(`fc_${angle}`, 66, features)
  },
  'ResNet-50 6D': (draft: Draft) => draft.linear('linear_reg', 6, resNet(draft, 'bottleneck', [3, 4, 6, 3])),
  'RepVGG-A0': (draft: Draft) => draft.linear('linear_reg', 6, repVggA0(draft)),
  MobileNetV2: (draft: Draft) => draft.linear('linear_reg', 6, mobileNetV2(draft)),
} as const satisfies Readonly<Record<string, (draft: Draft) => void>>

export type SyntheticNetwork = keyof typeof drafts
export const syntheticNetworks = Object.keys(drafts) as SyntheticNetwork[]

/** The path of its checkpoint, which is written at the first call. */
export function syntheticNetwork(name: SyntheticNetwork): string {
  const file = `${name.toLowerCase().replaceAll(/\W/g, '-')}.safetensors`
  const path = fileURLToPath(new URL(`../node_modules/.cache/headlight-bench/${file}`, import.meta.url))
  if (!existsSync(path)) {
    const draft = new Draft()
    drafts[name](draft)
    draft.write(path)
  }
  return path
}

/** Features before the heads. */
function resNet(draft: Draft, block: 'basic' | 'bottleneck', stages: readonly number[]): number {
  draft.conv('conv1', 64, 3, 7)
  draft.norm('bn1', 64)
  let channels = 64
  for (const [stage, blocks] of stages.entries()) {
    const width = 64 * 2 ** stage
    const outs = block === 'basic' ? width : 4 * width
    for (let index = 0; index < blocks; index++) {
      const name = `layer${stage + 1}.${index}`
      const layers: (readonly [number, number, number])[] =
        block === 'basic'
          ? [
              [width, channels, 3],
              [width, width, 3],
            ]
          : [
              [width, channels, 1],
              [width, width, 3],
              [outs, width, 1],
            ]
      for (const [i, [to, from, kernel]] of layers.entries()) {
        draft.conv(`${name}.conv${i + 1}`, to, from, kernel)
        draft.norm(`${name}.bn${i + 1}`, to)
      }
      if (channels !== outs) {
        draft.conv(`${name}.downsample.0`, outs, channels, 1)
        draft.norm(`${name}.downsample.1`, outs)
      }
      channels = outs
    }
  }
  return channels
}

/** In its deployed form. */
function repVggA0(draft: Draft): number {
  const stages = [
    [48, 1],
    [48, 2],
    [96, 4],
    [192, 14],
    [1280, 1],
  ] as const
  let channels = 3
  for (const [stage, [outs, blocks]] of stages.entries()) {
    for (let index = 0; index < blocks; index++) {
      const name = stage === 0 ? 'stage0' : `stage${stage}.${index}`
      draft.conv(`${name}.rbr_reparam`, outs, channels, 3)
      draft.bias(`${name}.rbr_reparam`, outs)
      channels = outs
    }
  }
  return channels
}

function mobileNetV2(draft: Draft): number {
  const convNorm = (conv: string, norm: string, outs: number, ins: number, kernel: number): void => {
    draft.conv(conv, outs, ins, kernel)
    draft.norm(norm, outs)
  }
  convNorm('features.0.0', 'features.0.1', 32, 3, 3)
  // Expansion, channels, blocks.
  const stages = [
    [1, 16, 1],
    [6, 24, 2],
    [6, 32, 3],
    [6, 64, 4],
    [6, 96, 3],
    [6, 160, 3],
    [6, 320, 1],
  ] as const
  let [channels, block] = [32, 1]
  for (const [expansion, outs, blocks] of stages) {
    for (let index = 0; index < blocks; index++) {
      const name = `features.${block++}.conv`
      const width = channels * expansion
      const first = expansion === 1 ? 0 : 1
      if (first === 1) convNorm(`${name}.0.0`, `${name}.0.1`, width, channels, 1)
      convNorm(`${name}.${first}.0`, `${name}.${first}.1`, width, 1, 3)
      convNorm(`${name}.${first + 1}`, `${name}.${first + 2}`, outs, width, 1)
      channels = outs
    }
  }
  convNorm('features.18.0', 'features.18.1', 1280, channels, 1)
  return 1280
}
