import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { renderInspection } from '../../../src/saliency/networks/inspect.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { headlight, imageFolder, inFolder } from '../../support/headlight.ts'

const file = 'mobilenet_v2_bins.pth'
const capped = fileURLToPath(new URL(`../../golden/networks/${file}`, import.meta.url))
const image = join(imageFolder, 'BIWI00000001_-17_+1_+17.png')
const explain = ['explain', image, '--network', capped, '--no-overlay']
const refusal = `${file} has nothing but 35 ReLU6 between its image and its outputs`

describe('a network whose activations are all ReLU6', () => {
  it('is guided, and that is said', async () => {
    const { code, stdout } = await headlight(explain)
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('\nactivations 35 ReLU6 guided (0 < x < 6)\n') as string,
    })
    expect(renderInspection(loadNetwork(readFileSync(capped), file))).toMatch(
      /\n {2}activations +35 ReLU6 guided \(0 < x < 6\)\n/,
    )
  })

  it('with --relu6 plain has nothing to guide: explain refuses, and --scope none computes', async () => {
    const refused = await headlight([...explain, '--relu6', 'plain', '--json'])
    expect(refused.code).toBe(2)
    expect(JSON.parse(refused.stdout)).toEqual({
      error: { code: 'nothing-to-guide', message: expect.stringContaining(refusal) as string },
    })
    const computed = await headlight([...explain, '--relu6', 'plain', '--scope', 'none', '--json'])
    expect(computed.stderr).toContain('--relu6 plain changes nothing here: --scope none guides nothing')
    expect(JSON.parse(computed.stdout)).toMatchObject({
      scope: 'none',
      relu6: 'plain',
      activations: [{ kind: 'relu6', count: 35, guided: 0 }],
    })
  })

  it.each(['all', 'stem'])('and run refuses scope %s before it writes anything', (scope) =>
    inFolder(async (folder) => {
      const output = join(folder, 'out')
      const call = ['run', '--dataset', imageFolder, '--output', output, '--network', capped]
      const refused = await headlight([...call, '--relu6', 'plain', '--scope', scope])
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(refusal) as string })
      expect(existsSync(output)).toBe(false)
    }),
  )
})
