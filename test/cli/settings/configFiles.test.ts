import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { configurationDocs } from '../../../scripts/configurationDocs.ts'
import { parseConfigFile } from '../../../src/cli/settings/configFile.ts'
import { settingFacts } from '../../../src/cli/settings/optionFacts.ts'
import { settingNames } from '../../../src/cli/settings/optionSchema.ts'
import { resolveSettings } from '../../../src/cli/settings/resolveSettings.ts'

const root = new URL('../../../', import.meta.url)

it('documents the options as the schema has them (run: node --import tsx scripts/configurationDocs.ts)', () => {
  expect(readFileSync(new URL('docs/configuration.md', root), 'utf8')).toBe(configurationDocs())
})

it('documents every option with a meaning, and every number with unit and minimum', () => {
  for (const name of settingNames) {
    const { kind, description, unit, minimum, automatic, default: standard } = settingFacts(name)
    const isNumber = kind === 'integer' || kind === 'number'
    const hasDefault = standard !== undefined || automatic !== undefined
    expect({
      name,
      isSentence: description.endsWith('.'),
      hasUnit: unit !== undefined,
      hasMinimum: minimum !== undefined,
      hasDefault,
    }).toEqual({
      name,
      isSentence: true,
      hasUnit: isNumber,
      hasMinimum: isNumber,
      hasDefault: !['dataset', 'output', 'network'].includes(name),
    })
  }
})

const examples = readdirSync(new URL('config/', root)).filter((name) => name.endsWith('.yaml'))

it.each(examples)('config/%s holds only options that exist, with values that are allowed', (name) => {
  const text = readFileSync(new URL(`config/${name}`, root), 'utf8')
  const settings = resolveSettings({ file: parseConfigFile(name, text), environment: {}, flags: {} })
  expect(settings.network).toMatch(/hopenet\.pkl$/)
})

it('has an example for one machine and one for a cluster', () => {
  expect(examples).toEqual(expect.arrayContaining(['one-machine.yaml', 'cluster.yaml']))
})
