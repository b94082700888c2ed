import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { z } from 'zod'
import type * as Installation from '../../../src/machine/tfjsInstallation.ts'
import { describeEngine, describeNotRun } from '../../support/engineConformance.ts'
import { goldenImages } from '../../support/golden.ts'
import { imageFolder, inFolder, networkFile } from '../../support/headlight.ts'
import { installHeadlight } from '../../support/headlightBeside.ts'
import { otherNode } from '../../support/otherNode.ts'

// The built module: it tries the engine in a child process, which has to be JavaScript.
const { installTfjs } = (await import(
  new URL('../../../dist/machine/tfjsInstallation.js', import.meta.url).href
)) as typeof Installation

const engine = 'tfjs:tensorflow'
const enginesFolder = fileURLToPath(new URL('../../../node_modules/.cache/headlight-engines', import.meta.url))

process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
// A registry that cannot be reached must not hold the tests up.
process.env['PIP_RETRIES'] ??= '0'
process.env['PIP_DEFAULT_TIMEOUT'] ??= '10'

/** Null when it is there, built now or by an earlier run; else why it is not. */
async function whyNot(): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(240_000)
    await installTfjs({
      enginesFolder,
      tensorflow: undefined,
      cuda: false,
      environment: process.env,
      say: () => undefined,
      signal,
    })
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const reason = await whyNot()
if (reason === null) {
  describeEngine({ engine, enginesFolder })
  for (const major of [20, 22, 24]) describeOnNode(major)
  describeBeside()
} else {
  describeNotRun(engine, reason)
}

/** The whole command, since what Node removed is missed only where it is called. */
function describeOnNode(major: number): void {
  it(`explain gives the golden angles on Node ${major}`, { timeout: 300_000 }, async (context) => {
    const isThisOne = process.versions.node.startsWith(`${major}.`)
    const program = isThisOne ? process.execPath : await otherNode(major).catch((error: unknown) => String(error))
    if (!existsSync(program)) return context.skip(`Node ${major} cannot be had: ${program}`)
    const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
    const { stdout } = await promisify(execFile)(program, [main, ...explainArgs(enginesFolder)])
    expectGoldenAngles(stdout)
  })
}

/** The package and the addon, as they were installed, laid out as the package's own installer would. */
function describeBeside(): void {
  it('explain gives the golden angles with the package beside headlight', { timeout: 300_000 }, async () => {
    await inFolder(async (folder) => {
      const call = installHeadlight(folder)
      const from = join(enginesFolder, 'tfjs')
      const to = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
      const addonFolder = join(to, 'lib', 'napi-v8')
      mkdirSync(addonFolder, { recursive: true })
      for (const part of ['package.json', 'dist']) {
        cpSync(join(from, 'node_modules', '@tensorflow', 'tfjs-node-gpu', part), join(to, part), { recursive: true })
      }
      symlinkSync(join(from, 'node_modules'), join(to, 'node_modules'))
      // A link, since the addon looks for TensorFlow's libraries from where it lies.
      symlinkSync(join(from, 'tfjs_binding.node'), join(addonFolder, 'tfjs_binding.node'))
      const { code, stdout, stderr } = await call(explainArgs(join(folder, 'none')))
      expect([code, stderr]).toEqual([0, expect.not.stringContaining('cannot')])
      expectGoldenAngles(stdout)
    })
  })
}

function explainArgs(folder: string): string[] {
  const image = join(imageFolder, goldenImages('tiny')[0]?.image ?? '')
  return ['explain', image, '--network', networkFile, '--json', '--engine', engine, '--engines-folder', folder]
}

function expectGoldenAngles(stdout: string): void {
  const { angles } = z.object({ angles: z.record(z.string(), z.number()) }).parse(JSON.parse(stdout))
  const [golden] = goldenImages('tiny')
  for (const [name, angle] of Object.entries(golden?.angles_deg ?? {})) expect(angles[name]).toBeCloseTo(angle, 3)
}
