import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'
import { jsonOfPython, requirePyTorch, runPython } from '../support/pytorch.ts'
import { tinyOnnx } from '../support/tinyOnnx.ts'

const modules = 'test/examples/tinyDenseNet.py'

function compare(module: string, args: readonly string[]) {
  return runPython('examples/pytorch/compare.py', ['--module', `${modules}:${module}`, ...args])
}

describe('examples/pytorch/compare.py', () => {
  it(
    'does guided backpropagation, decoding and preprocessing as golden data have them',
    { timeout: 300_000 },
    async (context) => {
      requirePyTorch(context)
      const { networks, inputs, ways } = z
        .object({
          networks: z.object({
            angles: z.number(),
            gradients: z.number(),
            counts: z.record(z.string(), z.tuple([z.int(), z.int()])),
          }),
          inputs: z.object({ inputs: z.int(), boxes: z.int(), differ: z.array(z.unknown()) }),
          ways: z.record(z.string(), z.number()),
        })
        .parse(
          await jsonOfPython('test/examples/agreement.py', [
            'resnet18_6d',
            'resnet50_bins',
            'repvgg_6d',
            'mobilenet_v1_3dmm',
            'mobilenet_v2_6d',
          ]),
        )
      expect(networks.angles).toBeLessThan(1e-9)
      // Golden gradients are stored in 16 bits.
      expect(networks.gradients).toBeLessThan(3e-4)
      expect(networks.counts).toMatchObject({
        'mobilenet_v2_6d all guided': [35, 0],
        'mobilenet_v2_6d all plain': [0, 35],
        'mobilenet_v2_6d stem guided': [1, 34],
        'resnet50_bins none guided': [0, 16],
      })
      expect(inputs.inputs).toBeGreaterThanOrEqual(180)
      expect(inputs.differ).toEqual([])
      expect(inputs.boxes).toBe(inputs.inputs)
      expect(Object.entries(ways).filter(([, off]) => !(off < 1e-7))).toEqual([])
    },
  )

  it('agrees with a result set, and finds a module that lacks a ReLU', { timeout: 300_000 }, (context) =>
    inFolder(async (folder) => {
      requirePyTorch(context)
      const output = join(folder, 'out')
      const call = ['run', '--dataset', imageFolder, '--network', networkFile, '--output', output]
      const { code, stderr } = await startHeadlight([...call, '--gradients', 'float16', '--objective', 'sum,-yaw'])
        .ended
      expect({ code, stderr }).toMatchObject({ code: 0 })
      const args = ['--checkpoint', networkFile, '--output', output, '--images', '2']
      const same = await compare('TinyDenseNet', [...args, '--preprocess', `${modules}:transform`])
      expect(same).toMatchObject({ code: 0, stderr: '' })
      const [headline, ...lines] = same.stdout.trimEnd().split('\n')
      expect(headline).toBe('tiny_hp.pkl, scope all; 2 images on cpu')
      expect(lines).toEqual([
        expect.stringMatching(
          /^BIWI00000001_-17_\+1_\+17\.png {2}input \S+ {2}angles \S+° {2}gradient of sum \S+ {2}gradient of -yaw \S+ {2}agrees$/,
        ),
        expect.stringMatching(/^BIWI00000004_-63_-12_\+0\.png .* agrees$/),
        '2 of 2 images agree',
      ])
      const training = await compare('TinyDenseNet', [
        ...args,
        '--checkpoint',
        'test/saliency/weights/training/namespace.ckpt',
      ])
      expect(training).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/holds more than weights \(\S+\), .*: add --trust if the file is your own/),
      })
      const other = await compare('Wrong', [...args, '--objective', 'sum'])
      expect(other.code).toBe(1)
      expect(other.stdout).toMatch(/differs: yaw is \S+° here and \S+° in headlight; the gradient of sum is \S+ off/)
      expect(other.stdout).toContain('0 of 2 images agree')
    }),
  )

  it(
    'of several result sets it says how to name each, and which of them keeps gradients',
    { timeout: 300_000 },
    (context) =>
      inFolder(async (folder) => {
        requirePyTorch(context)
        for (const [name, gradients] of Object.entries({ a: 'float32', b: 'none' })) {
          await mkdir(join(folder, name))
          await writeFile(join(folder, name, 'set.json'), JSON.stringify({ options: { gradients } }))
        }
        const [a, b] = [join(folder, 'a'), join(folder, 'b')]
        expect(await compare('TinyDenseNet', ['--output', folder])).toMatchObject({
          code: 2,
          stderr: expect.stringContaining(`give one: --output ${a} (with float32 gradients), --output ${b}\n`),
        })
      }),
  )

  /** The JSON of `explain` with the gradient of a network of test/support/tinyOnnx.ts. */
  const explained = async (folder: string, outputs?: Readonly<Record<string, number>>, objective = 'sum') => {
    const network = join(folder, 'tiny.onnx')
    const [json, gradient] = [join(folder, 'explained.json'), join(folder, 'gradient.npy')]
    await writeFile(network, tinyOnnx(outputs && { outputs }).bytes)
    const image = join(imageFolder, 'BIWI00000004_-63_-12_+0.png')
    const call = ['explain', image, '--network', network, '--objective', objective, '--gradient', gradient, '--json']
    await writeFile(json, (await headlight(call)).stdout)
    return json
  }
  const layers = (...given: readonly string[]) => given.flatMap((layer) => ['--layer', layer])

  it('takes what forward() returns for the outputs of an ONNX file', { timeout: 300_000 }, (context) =>
    inFolder(async (folder) => {
      requirePyTorch(context)
      const json = await explained(folder)
      // True of every image, so that it is said once, and in the order that is most likely.
      expect(await compare('TinyGraph', ['--explained', json])).toMatchObject({
        code: 2,
        stdout: expect.not.stringContaining('not compared'),
        stderr: expect.stringMatching(
          /^compare\.py: forward\(\) returns 3 tensors: say which of them is which, by its number from 0 on \(--layer fc_yaw=0 --layer fc_pitch=1 --layer fc_roll=2 if that is their order\) or by the layer that gives it \(--layer fc_yaw=NAME\)\n$/,
        ),
      })
      const partly = await compare('TinyGraph', ['--explained', json, ...layers('fc_pitch=0')])
      expect(partly.stderr).toContain('(--layer fc_yaw=1 --layer fc_pitch=0 --layer fc_roll=2 if')
      const order = layers('fc_yaw=0', 'fc_pitch=1', 'fc_roll=2')
      const same = await compare('TinyGraph', ['--explained', json, ...order])
      expect(same).toMatchObject({ code: 0, stdout: expect.stringMatching(/gradient of sum \S+ {2}agrees\n/) })
      const exchanged = layers('fc_yaw=1', 'fc_pitch=0', 'fc_roll=angles.2')
      const other = await compare('TinyGraph', ['--explained', json, ...exchanged])
      expect(other).toMatchObject({ code: 1, stdout: expect.stringContaining('differs: yaw is') })
      expect(other.stdout).not.toContain('hint')
    }),
  )

  it('refuses --layer of an output that there is not', { timeout: 300_000 }, (context) =>
    inFolder(async (folder) => {
      requirePyTorch(context)
      const json = await explained(folder)
      for (const [layer, lack] of Object.entries({ 'nonsense=9': 'output that headlight reads', fc_yaw: 'layer' })) {
        expect(await compare('TinyGraph', ['--explained', json, ...layers('fc_roll=2', layer)])).toMatchObject({
          code: 2,
          stdout: '',
          stderr: `compare.py: --layer ${layer} names no ${lack}: give --layer OUTPUT=LAYER for fc_yaw, fc_pitch, fc_roll\n`,
        })
      }
    }),
  )

  it('where a module gives probabilities for logits, it asks for the layer before', { timeout: 300_000 }, (context) =>
    inFolder(async (folder) => {
      requirePyTorch(context)
      const json = await explained(folder, { softmax: 5 }, 'class:top')
      for (const module of ['TinyShares', 'TinyLogShares']) {
        const shares = await compare(module, ['--explained', json])
        expect(shares.code).toBe(1)
        expect(shares.stdout).toMatch(
          /differs: .*\n0 of 1 image agrees\nhint: the numbers of softmax sum to 1 in your module, as a Softmax's do; headlight reads what goes into it: name the layer that gives that, --layer softmax=NAME\n$/,
        )
      }
      const logits = await compare('TinyShares', ['--explained', json, ...layers('softmax=fc')])
      expect(logits).toMatchObject({ code: 0, stdout: expect.stringMatching(/agrees\n1 of 1 image agrees\n$/) })
    }),
  )

  it('compares the map of one image, an own decode and an own preprocessing', { timeout: 300_000 }, (context) =>
    inFolder(async (folder) => {
      requirePyTorch(context)
      const [json, map] = [join(folder, 'explained.json'), join(folder, 'map.png')]
      const image = join(imageFolder, 'BIWI00000004_-63_-12_+0.png')
      const { stdout } = await headlight(['explain', image, '--network', networkFile, '--map', map, '--json'])
      await writeFile(json, stdout)
      const args = ['--checkpoint', networkFile, '--explained', json]
      const same = await compare('TinyDenseNet', [...args, '--decode', `${modules}:to_degrees`])
      expect(same.stdout).toMatch(/map of sum 100 % {2}agrees\n1 of 1 image agrees\n$/)
      expect(same.code).toBe(0)
      const shifted = await compare('TinyDenseNet', [
        ...args,
        '--preprocess',
        `${modules}:transform_forgetting_the_mean`,
      ])
      expect(shifted.stdout).toMatch(/differs: your input is up to 2\.\d off the description's, see input/)
      expect(shifted.code).toBe(1)
      const hiding = await compare('Hiding', args)
      expect(hiding.stdout).toContain(
        'not compared: the module hides a part of its backward pass behind torch.utils.checkpoint; switch checkpointing off',
      )
      expect(hiding.code).toBe(2)
    }),
  )
})
