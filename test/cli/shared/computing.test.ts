import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { environmentToComputeIn } from '../../../src/cli/shared/computing.ts'
import type { engineChoices } from '../../../src/saliency/engines/openEngine.ts'
import { headlight, imageFolder, networkFile } from '../../support/headlight.ts'

const enginesFolder = mkdtempSync(join(tmpdir(), 'headlight-computing-'))
mkdirSync(join(enginesFolder, 'onnxruntime-cuda'))
writeFileSync(join(enginesFolder, 'onnxruntime-cuda', 'installed.json'), '{}')
afterAll(() => rmSync(enginesFolder, { recursive: true }))

const folder = join(enginesFolder, 'onnxruntime-cuda', 'libraries')
/** What is linked, and then what is kept from being found elsewhere. */
const libraries = `${folder}:${join(folder, 'absent')}`
const within = (
  environment: Readonly<Record<string, string>>,
  engine: (typeof engineChoices)[number] = 'onnxruntime:cuda',
) => environmentToComputeIn(engine, enginesFolder, environment)

it("needs another environment for an engine whose libraries the linker does not find in this process's", () => {
  expect(within({ PATH: '/bin' })).toEqual({ PATH: '/bin', LD_LIBRARY_PATH: libraries, NVIDIA_TF32_OVERRIDE: '0' })
  expect(within({ LD_LIBRARY_PATH: '/mine' })).toMatchObject({ LD_LIBRARY_PATH: `${libraries}:/mine` })
})

it('needs none where all is set already, nor for an engine that minds no variable', () => {
  expect(within({ LD_LIBRARY_PATH: `${libraries}:/mine`, NVIDIA_TF32_OVERRIDE: '0' })).toBeNull()
  // The last one is not installed, and will be refused.
  for (const engine of ['auto', 'onnxruntime', 'tfjs:wasm', 'reference', 'tfjs:tensorflow'] as const)
    expect(within({}, engine)).toBeNull()
})

it.each([
  ['explain', [`${imageFolder}/BIWI00000002_+32_-8_+4.png`, '--network', networkFile]],
  ['dataset check', [imageFolder, '--network', networkFile]],
])('%s starts itself again in it, once', async (command, operands) => {
  const args = [...command.split(' '), ...operands, '--engine', 'onnxruntime:cuda', '--engines-folder', enginesFolder]
  expect((await headlight(args)).stderr).toContain('starts itself again')
  const { stderr } = await headlight(args, { LD_LIBRARY_PATH: libraries, NVIDIA_TF32_OVERRIDE: '0' })
  expect(stderr).not.toContain('starts itself again')
})
