import { expect, test } from 'vitest'
import { announcements } from '../../../src/cli/shared/networkFile.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { tinyBytes } from '../../support/tinyNetwork.ts'

test('what was assumed about a network, and its notes, are a line each', async () => {
  const network = { ...loadNetwork(tinyBytes, 'tiny_hp.pkl'), notes: ['This is left out.', 'That, too.'] }
  const given = { network, bytes: tinyBytes, overrideFile: 'tiny_hp.pkl.yaml', localPaths: null }
  expect(await announcements(given)).toEqual([
    expect.stringMatching(/^assumed: yaw 61 bins/),
    'This is left out.',
    'That, too.',
  ])
})
