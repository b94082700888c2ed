import { expect, it } from 'vitest'
import type { EngineName } from '../../src/saliency/engines/openEngine.ts'
import { engineChecks, type CheckedEngine } from './engineChecks.ts'
import { isWithin } from './figure.ts'

/** Registers what every engine must do. One test file per engine calls it, so that each native library has a process of its own. */
export function describeEngine(checked: CheckedEngine): void {
  for (const { group, name, run } of engineChecks(checked)) {
    it(`${checked.engine}, ${group}: ${name}`, { timeout: 300_000 }, async () => {
      expect((await run()).filter((figure) => !isWithin(figure))).toEqual([])
    })
  }
}

/** Says by name that an engine was not run here, and why. */
export function describeNotRun(engine: EngineName, why: string): void {
  it(`${engine} is not run here: ${why}`, (context) => context.skip(why))
}
