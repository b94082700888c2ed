import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { imageFolder, inFolder, networkFile } from '../../support/headlight.ts'
import { installHeadlight } from '../../support/headlightBeside.ts'
import { writeTfjsPeer } from '../../support/tfjsPeer.ts'

const peer = '@tensorflow/tfjs-node-gpu 4.22.0 beside headlight'
const image = join(imageFolder, 'BIWI00000002_+32_-8_+4.png')

/** headlight with an empty folder for engines: what is said of tfjs:tensorflow, and an image explained with an engine. */
function installed(folder: string) {
  const call = installHeadlight(folder)
  const engines = join(folder, 'engines')
  const lines = async (command: string) => {
    const { stdout } = await call([...command.split(' '), '--engines-folder', engines])
    const [line = '', next = ''] = stdout.slice(stdout.search(/^.*tfjs:tensorflow/m)).split('\n')
    return { line, next }
  }
  const explain = async (engine: string) => {
    const operands = [image, '--network', networkFile, '--json', '--engine', engine, '--engines-folder', engines]
    return call(['explain', ...operands])
  }
  return { engines, lines, explain }
}

function anglesIn(stdout: string): Record<string, number> {
  return z.object({ angles: z.record(z.string(), z.number()) }).parse(JSON.parse(stdout)).angles
}

it('TensorFlow.js beside headlight is taken where none is installed, and both commands say so', async () => {
  await inFolder(async (folder) => {
    const { lines, explain } = installed(folder)
    writeTfjsPeer(folder)
    const facts = `4.22.0 on TensorFlow of plain JavaScript, on the CPU (${peer})`
    const listed = await lines('engine list')
    expect(listed.line).toMatch(/^usable +tfjs:tensorflow /)
    expect(listed.line).toContain(facts)
    const diagnosed = await lines('doctor')
    expect(diagnosed.line).toMatch(/^ok +engine tfjs:tensorflow /)
    expect(diagnosed.line).toContain(facts)
    const explained = await explain('tfjs')
    expect(explained).toMatchObject({ code: 0 })
    const expected = anglesIn((await explain('onnxruntime')).stdout)
    for (const [name, angle] of Object.entries(anglesIn(explained.stdout))) {
      expect(angle).toBeCloseTo(expected[name] ?? NaN, 3)
    }
  })
})

it('what headlight installed is taken before it, also where that is broken', async () => {
  await inFolder(async (folder) => {
    const { engines, lines } = installed(folder)
    writeTfjsPeer(folder)
    mkdirSync(join(engines, 'tfjs'), { recursive: true })
    writeFileSync(join(engines, 'tfjs', 'installed.json'), '{}')
    const { line, next } = await lines('engine list')
    expect(line).toMatch(/^unusable .*the addon of tfjs:tensorflow does not load: /)
    expect(line).toContain(`(installed by headlight engine install tfjs, which is taken before ${peer})`)
    expect(next).toMatch(/^ +→ headlight engine install tfjs$/)
  })
})

const broken = {
  'whose addon does not load': {
    addon: `throw new Error('libtensorflow.so.2: cannot open shared object file')`,
    said: `the addon of tfjs:tensorflow does not load: libtensorflow.so.2: cannot open shared object file`,
  },
  'whose addon ends the process': {
    addon: `process.kill(process.pid, 'SIGKILL')`,
    said: 'its process ended with signal SIGKILL',
  },
}
it.each(Object.entries(broken))('a package %s is refused with reason and remedy', async (_, { addon, said }) => {
  await inFolder(async (folder) => {
    const { lines, explain } = installed(folder)
    writeTfjsPeer(folder, { addon })
    const { line, next } = await lines('doctor')
    expect(line).toMatch(/^note .*cannot be used: /)
    expect(line).toContain(`${said} (${peer})`)
    expect(next).toMatch(/^ +→ headlight engine install tfjs$/)
    expect(await explain('tfjs')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `the engine tfjs:tensorflow cannot be taken from ${peer} (${said}): headlight engine install tfjs`,
      ) as string,
    })
  })
})

it('a package that computes something wrong is refused', async () => {
  await inFolder(async (folder) => {
    const { explain } = installed(folder)
    const packageFolder = writeTfjsPeer(folder)
    const kernels = `
const core = require('@tensorflow/tfjs')
core.copyRegisteredKernels('cpu', 'tensorflow')
core.unregisterKernel('Relu', 'tensorflow')
core.registerKernel({ kernelName: 'Relu', backendName: 'tensorflow', kernelFunc: ({ inputs }) => core.tensor(inputs.x.shape, inputs.x.shape) })`
    writeFileSync(join(packageFolder, 'dist', 'register_all_kernels.js'), kernels)
    const { code, stderr } = await explain('tfjs')
    expect([code, stderr]).toEqual([2, expect.stringContaining(`cannot be taken from ${peer} (`)])
  })
})

it('a package without its addon counts as not installed', async () => {
  await inFolder(async (folder) => {
    const { lines, explain } = installed(folder)
    const packageFolder = writeTfjsPeer(folder, { addon: null })
    const said = `the engine tfjs:tensorflow is not installed (${peer.replace(' beside', ' is beside')}, but its addon ${packageFolder}/lib/napi-v8/tfjs_binding.node is not): headlight engine install tfjs`
    expect((await lines('engine list')).line).toContain(said)
    expect(await explain('tfjs')).toMatchObject({ code: 2, stderr: expect.stringContaining(said) as string })
  })
})
