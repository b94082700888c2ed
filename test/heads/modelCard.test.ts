import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { judge, measureErrors, readDemoNetwork } from '../../examples/heads/judgement.ts'

// The model card is what people read, so it is what is held: its figures are measured again. Everything is seeded;
// what may differ is float32 rounding, and ReLUs that it opens or shuts.

const path = (name: string) => fileURLToPath(new URL(`../../examples/models/${name}`, import.meta.url))
const card = readFileSync(path('MODEL_CARD.md'), 'utf8')
const within = (stated: number | undefined, tolerance: number) => [stated! - tolerance, stated! + tolerance] as const

const network = readDemoNetwork(path('heads.pkl'))
let judgement: Awaited<ReturnType<typeof judge>>
beforeAll(async () => {
  judgement = await judge(network, Number(/on (\d+) other held-out heads/.exec(card)?.[1]))
})

/** The numbers of the table row that begins with `name`. */
function row(name: string): number[] {
  const line = card.split('\n').find((text) => text.startsWith(`| ${name} |`) || text.startsWith(`| ${name}  `))
  if (line === undefined) throw new Error(`the model card has no row "${name}"`)
  return line.split('|').slice(2, -1).map(Number)
}

test('the errors are those of the card', async () => {
  const errors = await measureErrors(network, Number(/on (\d+) held-out heads/.exec(card)?.[1]))
  const stated = row('error (°)')
  for (const [index, name] of (['yaw', 'pitch', 'roll'] as const).entries()) {
    const [low, high] = within(stated[index], 0.1)
    expect(errors[name]).toBeGreaterThan(low)
    expect(errors[name]).toBeLessThan(high)
  }
})

test('each map lies on the head as much as the card says', () => {
  expect(Object.keys(judgement.ratios)).toHaveLength(6)
  for (const [name, ratio] of Object.entries(judgement.ratios)) {
    const [low, high] = within(row(name)[0], 0.03)
    expect(ratio).toBeGreaterThan(low)
    expect(ratio).toBeLessThan(high)
  }
})

test('replaced pixels move the angles as much as the card says', () => {
  const { chosen, lot, patch } = judgement.causes
  const measured = { ...chosen, 'pixels by lot': lot, 'patches by lot': patch }
  for (const [name, degrees] of Object.entries(measured)) {
    const [low, high] = within(row(name).at(-1), 0.3)
    expect(degrees).toBeGreaterThan(low)
    expect(degrees).toBeLessThan(high)
  }
})
