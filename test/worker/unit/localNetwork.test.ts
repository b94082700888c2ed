import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localNetwork } from '../../../src/worker/unit/localNetwork.ts'
import { inFolder } from '../../support/headlight.ts'

test('a network on this machine is read with its second file, under the name by which it knows that', () =>
  inFolder(async (folder) => {
    const [network, path] = [join(folder, '0a'), join(folder, '0b')]
    await writeFile(network, 'weights')
    await writeFile(path, 'second')
    const both = localNetwork({ network, externalData: { file: 'model.onnx.data', path } })
    expect(await both.size()).toBe('weightssecond'.length)
    expect(await both.read()).toEqual({
      bytes: Buffer.from('weights'),
      externalData: { file: 'model.onnx.data', bytes: Buffer.from('second') },
    })
    const alone = localNetwork({ network })
    expect(await alone.size()).toBe('weights'.length)
    expect(await alone.read()).toEqual({ bytes: Buffer.from('weights') })
  }))
