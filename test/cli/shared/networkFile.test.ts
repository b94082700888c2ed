import { expect, test } from 'vitest'
import { announcements } from '../../../src/cli/shared/networkFile.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { tinyBytes } from '../../support/tinyNetwork.ts'
import { tinyOnnx } from '../../support/tinyOnnx.ts'

test('what was assumed about a network, and its notes, are a line each', async () => {
  const network = { ...loadNetwork(tinyBytes, 'tiny_hp.pkl'), notes: ['This is left out.', 'That, too.'] }
  const given = { network, bytes: tinyBytes, overrideFile: 'tiny_hp.pkl.yaml', localPaths: null }
  expect(await announcements(given)).toEqual([
    expect.stringMatching(/^assumed: yaw 61 bins/),
    'This is left out.',
    'That, too.',
  ])
})

test('a ready description is announced by the size that an ONNX file fixes, where its signs are not those assumed', async () => {
  const announced = (side: number) => {
    const { bytes } = tinyOnnx({ side, outputs: { yaw: 1, pitch: 1, roll: 1 } })
    return announcements({ network: loadNetwork(bytes, 'x.onnx'), bytes, overrideFile: null, localPaths: null })
  }
  expect(await announced(60)).toContainEqual(
    expect.stringMatching(/^fits: intel-headpose \(.*\): --description intel-/),
  )
  expect(await announced(61)).not.toContainEqual(expect.stringMatching(/fits/))
})
