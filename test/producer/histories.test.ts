import { describe, expect, it, vi } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { encodePoseMaps, unplaced } from '../../src/output/poseMaps.ts'
import { rowPose } from '../../src/output/rowPose.ts'
import { stateRows } from '../../src/output/stateRows.ts'
import { InputSums } from '../../src/report/aggregates/poseSums.ts'
import { explain, History, historySet, type FailureCode } from '../support/history.ts'
import { seededRandom } from '../support/operationExamples.ts'
import { collected } from '../support/producerWorld.ts'

// Drawing the page of each run would take most of the time, and its bytes are not what this is about.
vi.mock('../../src/report/writeReport.ts', () => ({ writeReport: () => Promise.resolve() }))

/** A result set, what its state should be, and by what luck both go on. */
class Told {
  readonly history: History
  readonly #random: () => number
  /** Content by key, as the state's rows should have it. */
  readonly #expected = new Map<string, string>()
  /** Keys whose row was computed by workers that keep inputs. */
  readonly #withInput = new Set<string>()
  readonly #failed = new Set<string>()
  #versions = 0

  /** Older runs than so many are removed, where they are. */
  readonly #keepRuns: number | undefined

  constructor(seed: number) {
    this.history = new History(seed % 5 === 0 ? ['yaw', 'pitch', 'sum'] : undefined)
    this.#keepRuns = [undefined, 1, undefined, 2][seed % 4]
    this.#random = seededRandom(seed)
  }

  chance(probability: number): boolean {
    return (this.#random() + 1) / 2 < probability
  }

  number(below: number): number {
    return Math.floor(((this.#random() + 1) / 2) * below)
  }

  /** Adds, changes and removes some images. Some are damaged, which is a failure that stays. */
  async touch(added: number, changed: number, gone: number): Promise<void> {
    const { dataset } = this.history
    const content = () => `${this.chance(0.1) ? 'damaged' : 'image'} ${this.#versions++}`
    for (let i = 0; i < added; i++) await dataset.put(`${this.number(4)}/${this.number(1_000)}.jpg`, content())
    const keys = [...dataset.objects.keys()]
    for (let i = 0; i < changed; i++) await dataset.put(keys[this.number(keys.length)] ?? 'a.jpg', content())
    for (let i = 0; i < gone && dataset.objects.size > 1; i++)
      await dataset.delete(keys[this.number(keys.length)] ?? '')
  }

  #content(key: string): string {
    return Buffer.from(this.history.dataset.objects.get(key) ?? '').toString()
  }

  /** Some failures pass by themselves. */
  #failures(): FailureCode {
    const passing = new Map<string, boolean>()
    return ({ key }) => {
      if (this.#content(key).startsWith('damaged')) return 'corrupt-image'
      const fails = passing.get(key) ?? this.chance(0.12)
      passing.set(key, fails)
      return fails ? 'vanished' : null
    }
  }

  async run(kind: 'plain' | 'full' | 'retry' | 'cancelled', isEarlier: boolean): Promise<void> {
    const computed = new Set<string>()
    const { history } = this
    const before = [...this.#expected.keys()]
    // A retry is about images that failed, and about no others.
    const mayGo = kind === 'retry' ? new Set(this.#failed) : new Set(before)
    const failure = this.#failures()
    const isLeft = kind === 'cancelled' ? () => this.chance(0.5) : undefined
    const counted =
      (fails: FailureCode): FailureCode =>
      (entry) => {
        const code = fails(entry)
        computed.add(entry.key)
        if (code === null) this.#failed.delete(entry.key)
        else this.#failed.add(entry.key)
        return code
      }
    await history.run({
      full: kind === 'full' || (kind === 'cancelled' && this.chance(0.3)),
      ...(kind === 'retry' ? { retry: { code: null } } : {}),
      ...(isLeft === undefined ? {} : { isLeft }),
      failure: counted(failure),
      isEarlier,
      keepRuns: isEarlier ? undefined : this.#keepRuns,
      ...(this.chance(0.4) && !isEarlier ? { otherFailure: this.#failures() } : {}),
      ...(this.chance(0.4) ? { diesAt: 1 + this.number(11) } : {}),
    })
    for (const key of computed) {
      this.#expected.set(key, this.#content(key))
      if (isEarlier) this.#withInput.delete(key)
      else this.#withInput.add(key)
    }
    for (const key of before) {
      if (history.dataset.objects.has(key) || !mayGo.has(key)) continue
      this.#expected.delete(key)
      this.#failed.delete(key)
    }
  }

  /** Tables of all runs, at most. */
  get tables(): number {
    return this.#keepRuns ?? Infinity
  }

  /** The state, computed in one run over what its rows are of. */
  async fresh(): Promise<History> {
    const fresh = new History(this.history.set.options.objectives)
    for (const [key, content] of this.#expected) await fresh.dataset.put(key, content)
    const rows = await collected(stateRows(this.history.output, historySet.id, await this.history.stateRun()))
    const codes = new Map(rows.map(({ key, code }) => [key, code]))
    await fresh.run({ failure: ({ key }) => codes.get(key) ?? null })
    return fresh
  }

  /** What the atlas of inputs should be, where some rows have none: added up one by one. */
  async inputs(): Promise<Buffer> {
    const sums = new InputSums()
    for (const row of await collected(stateRows(this.history.output, historySet.id, await this.history.stateRun()))) {
      if (row.status === 'ok' && this.#withInput.has(row.key))
        sums.add(rowPose(row)?.cell ?? unplaced, explain(row, this.history.set.options.objectives).input)
    }
    return Buffer.from(encodePoseMaps(sums.finish()))
  }
}

const kinds = ['plain', 'plain', 'plain', 'cancelled', 'full', 'retry'] as const
const files = { 'angles.parquet': layout.runTable, 'aggregates.json': layout.aggregates, 'atlas.bin': layout.atlas }

describe('an increment’s table, aggregates and atlases equal a fresh run’s, byte for byte', () => {
  it.each(Array.from({ length: 20 }, (_, i) => i + 1))('history %d', async (seed) => {
    const told = new Told(seed)
    const { history } = told
    // Some result sets begin under an earlier version: with the workers that went with it, or with those of now.
    const earlierRuns = seed % 3 === 0 ? 2 : 0
    const withEarlierWorkers = seed % 6 === 0
    await told.touch(20 + told.number(16), 0, 0)
    for (let run = 0; run < 6; run++) {
      // In one of them all images are computed twice before, some of which fail the second time.
      const kind =
        run === 0 ? 'plain' : seed === 12 && run === 1 ? 'full' : (kinds[told.number(kinds.length)] ?? 'plain')
      if (run > 0 && !told.chance(0.15)) await told.touch(told.number(6), told.number(6), told.number(6))
      await told.run(kind, run === 0 && withEarlierWorkers)
      if (run < earlierRuns) {
        await history.forget()
        continue
      }
      const fresh = await told.fresh()
      for (const [name, key] of Object.entries(files)) {
        const [own, wanted] = [await history.stateFile(key), await fresh.stateFile(key)]
        expect(
          own !== undefined && wanted !== undefined && own.equals(wanted),
          `${name} after run ${run}, ${kind}`,
        ).toBe(true)
      }
      const inputs = withEarlierWorkers ? await told.inputs() : await fresh.stateFile(layout.inputAtlas)
      expect(
        [...history.output.objects.keys()].filter((key) => /\/runs\/.*parquet$/.test(key)).length,
      ).toBeLessThanOrEqual(told.tables)
      expect(
        (await history.stateFile(layout.inputAtlas))?.equals(inputs ?? Buffer.alloc(0)),
        `inputs after run ${run}`,
      ).toBe(true)
      // Where older runs have been removed, too, places are found in the records that are left.
      if (told.tables < Infinity && run === 3) await history.forget()
    }
    // Otherwise one that was wrong may have been noticed and summed anew.
    expect(history.warnings.filter((warning) => !warning.startsWith('adding up, once'))).toEqual([])
  })
})
