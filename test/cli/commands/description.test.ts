import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { headlight, imageFolder, inFolder } from '../../support/headlight.ts'

const golden = (name: string): string => fileURLToPath(new URL(`../../golden/networks/${name}`, import.meta.url))
const image = join(imageFolder, 'BIWI00000001_-17_+1_+17.png')
const tddfa = golden('mobilenet_v1_3dmm.pth')
const sixD = golden('mobilenet_v2_6d.pth')

const explain = (network: string, ...args: string[]) =>
  headlight(['explain', image, '--network', network, '--engine', 'onnxruntime:cpu', '--json', ...args])

describe('--description', () => {
  it('by a name is what is known of that network', async () => {
    const { code, stdout, stderr } = await explain(tddfa, '--description', '3ddfa-v2')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      network: { description: { input: { width: 120, filter: 'opencv', channels: 'bgr', std: [128, 128, 128] } } },
    })
  })

  it('that is misspelt is refused with the one that was meant, and the list', async () => {
    const { code, stdout } = await explain(tddfa, '--description', '3dffa-v2')
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'bad-option',
        message: expect.stringMatching(
          /^there is no description 3dffa-v2: did you mean 3ddfa-v2\? headlight has 3ddfa-v2, .*6drepnet, .*; a file is given by its path$/,
        ) as string,
      },
    })
  })

  it('of another network says where what does not fit stands', async () => {
    const { code, stdout } = await explain(tddfa, '--description', 'hopenet')
    expect(code).toBe(2)
    const message = expect.stringMatching(/the output fc_yaw.* \(in hopenet\)$/) as string
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'bad-description', message } })
  })

  it('as a file stands in place of the one beside the network, which is said once', () =>
    inFolder(async (folder) => {
      const [network, own] = [join(folder, 'model.pth'), join(folder, 'own.yaml')]
      await copyFile(sixD, network)
      await writeFile(`${network}.yaml`, 'input: { width: 96, height: 96 }\n')
      await writeFile(own, 'about: { network: mine, source: https://x.example }\ninput: { width: 64, height: 64 }\n')
      const described = await explain(network, '--description', own)
      expect(described.stderr.match(/model\.pth\.yaml/g)).toHaveLength(1)
      expect(described.stderr).toContain(
        `model.pth.yaml beside the network is not read: the description ${own} was given instead.`,
      )
      expect(JSON.parse(described.stdout)).toMatchObject({ network: { description: { input: { width: 64 } } } })
      const beside = await explain(network)
      expect(JSON.parse(beside.stdout)).toMatchObject({ network: { description: { input: { width: 96 } } } })

      await writeFile(own, 'inputs: {}\n')
      const misspelt = await explain(network, '--description', own)
      const message = `${own}:1:1: unknown key "inputs"; did you mean "input"?`
      expect(JSON.parse(misspelt.stdout)).toMatchObject({ error: { code: 'bad-description', message } })
      const absent = await explain(network, '--description', join(folder, 'none.yaml'))
      expect(JSON.parse(absent.stdout)).toMatchObject({ error: { code: 'bad-option' } })
    }))
})

const proposal = (name: string): RegExp => new RegExp(`fits: ${name} \\(.+\\): --description ${name}`)

describe('a ready description is proposed', () => {
  it('where it fits a network that nobody described, and something had to be assumed', async () => {
    const { code, stderr } = await explain(sixD)
    expect(code).toBe(0)
    expect(stderr).toMatch(proposal('yakhyo-mobilenetv2'))
    const described = await explain(sixD, '--description', 'yakhyo-mobilenetv2')
    expect(described).toMatchObject({ code: 0, stderr: '' })
  })

  it('where the network cannot be described without it', async () => {
    const { code, stdout } = await explain(tddfa)
    expect(code).toBe(2)
    const begin =
      /^mobilenet_v1_3dmm\.pth: give --description 3ddfa-v2 \(.+\), which fits these weights; without it: fc_param gives/
    const message = expect.stringMatching(begin) as string
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'bad-description', message } })
  })
})

it('network list tells the ready descriptions', async () => {
  const { code, stdout } = await headlight(['network', 'list'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^6drepnet +6DRepNet .+; https:\/\/github\.com\/thohemp\/6DRepNet$/m)
  const json = await headlight(['network', 'list', '--json'])
  const { descriptions } = JSON.parse(json.stdout) as { descriptions: { name: string; path: string }[] }
  const hopenet = descriptions.find(({ name }) => name === 'hopenet')
  expect(hopenet).toMatchObject({ source: 'https://github.com/natanielruiz/deep-head-pose' })
  expect(await readFile(hopenet?.path ?? '', 'utf8')).toContain('fc_yaw')
})
