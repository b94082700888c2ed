import { readFileSync, readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { configurationDocs } from '../../scripts/configurationDocs.ts'
import { settingFacts, settingNames } from '../../src/config.ts'
import { resolveSettings } from '../../src/cli/settings.ts'

const root = new URL('../../', import.meta.url)

it('documents the options as the schema has them (run: node --import tsx scripts/configurationDocs.ts)', () => {
  expect(readFileSync(new URL('docs/configuration.md', root), 'utf8')).toBe(configurationDocs())
})

it('documents every option with a meaning, and every number with unit and minimum', () => {
  for (const name of settingNames) {
    const facts = settingFacts(name)
    expect(facts.description, name).toMatch(/\.$/)
    if (facts.kind === 'integer' || facts.kind === 'number') {
      expect(facts.unit, name).toBeTypeOf('string')
      expect(facts.minimum, name).toBeTypeOf('number')
    }
    if (facts.kind !== 'boolean' && facts.default === undefined && facts.automatic === undefined) {
      expect(['dataset', 'output', 'network'], `${name} has no default`).toContain(name)
    }
  }
})

const examples = readdirSync(new URL('config/', root)).filter((name) => name.endsWith('.yaml'))

it.each(examples)('config/%s holds only options that exist, with values that are allowed', (name) => {
  const text = readFileSync(new URL(`config/${name}`, root), 'utf8')
  const { settings } = resolveSettings({ file: { name, text }, environment: {}, flags: {} })
  expect(settings.network).toMatch(/hopenet\.pkl$/)
})

it('has an example for one machine and one for a cluster', () => {
  expect(examples).toEqual(expect.arrayContaining(['one-machine.yaml', 'cluster.yaml']))
})
