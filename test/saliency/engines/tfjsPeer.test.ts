import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { findTfjsPeer } from '../../../src/saliency/engines/tfjsPeer.ts'
import { inFolder } from '../../support/headlight.ts'
import { writeTfjsPeer } from '../../support/tfjsPeer.ts'

const from = (folder: string) => pathToFileURL(join(folder, 'node_modules', 'headlight', 'dist', 'engine.js')).href

it('is found in a folder node_modules above headlight, with the addon where the package says that it lies', async () => {
  await inFolder(async (folder) => {
    expect(findTfjsPeer(from(folder))).toBeNull()
    const packageFolder = writeTfjsPeer(folder)
    const peer = {
      name: '@tensorflow/tfjs-node-gpu 4.22.0',
      packageFolder,
      binding: join(packageFolder, 'lib', 'napi-v8', 'tfjs_binding.node'),
      hasAddon: true,
    }
    expect(findTfjsPeer(from(folder))).toEqual(peer)
    rmSync(peer.binding, { recursive: true })
    expect(findTfjsPeer(from(folder))).toEqual({ ...peer, hasAddon: false })
  })
})

it('is none where the package cannot be read', async () => {
  await inFolder(async (folder) => {
    const packageFolder = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
    mkdirSync(packageFolder, { recursive: true })
    for (const text of ['{', '{"version":"4.22.0"}']) {
      writeFileSync(join(packageFolder, 'package.json'), text)
      expect(findTfjsPeer(from(folder))).toBeNull()
    }
  })
})
