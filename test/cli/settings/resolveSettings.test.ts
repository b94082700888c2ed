import { describe, expect, it } from 'vitest'
import { parseConfigFile } from '../../../src/cli/settings/configFile.ts'
import { settingNames } from '../../../src/cli/settings/optionSchema.ts'
import { resolveSettings } from '../../../src/cli/settings/resolveSettings.ts'

const none = { environment: {}, flags: {} }
const file = (text: string) => parseConfigFile('my.yaml', text)

describe('where a setting comes from', () => {
  it('is the default when nothing else says it', () => {
    const settings = resolveSettings(none)
    expect(settings).toMatchObject({
      adapter: 'images',
      objective: 'sum',
      scope: 'all',
      graceSeconds: 25,
      strict: false,
    })
    expect(settings.units).toBeUndefined()
  })

  it('is overridden by file, then environment, then flag', () => {
    const text = 'batch: 2\nscope: stem\nstyle: magnitude\n'
    const environment = { HEADLIGHT_BATCH: '3', HEADLIGHT_SCOPE: 'none' }
    expect(resolveSettings({ ...none, file: file(text) })).toMatchObject({ batch: 2, scope: 'stem' })
    expect(resolveSettings({ ...none, file: file(text), environment })).toMatchObject({
      batch: 3,
      scope: 'none',
    })
    expect(resolveSettings({ file: file(text), environment, flags: { batch: '4' } })).toMatchObject({
      batch: 4,
      scope: 'none',
      style: 'magnitude',
    })
  })

  it('lets a flag take back a switch of the file', () => {
    const settings = resolveSettings({ ...none, file: file('logits: true'), flags: { logits: false } })
    expect(settings.logits).toBe(false)
  })

  it('takes an empty variable for one that is not set', () => {
    expect(resolveSettings({ ...none, environment: { HEADLIGHT_GRACE_SECONDS: '' } }).graceSeconds).toBe(25)
  })

  it('reads switches from the environment in any usual spelling', () => {
    for (const text of ['1', 'true', 'Yes', 'on']) {
      expect(resolveSettings({ ...none, environment: { HEADLIGHT_STRICT: text } }).strict).toBe(true)
    }
    expect(resolveSettings({ ...none, environment: { HEADLIGHT_STRICT: '0' } }).strict).toBe(false)
  })

  it('takes JSON, lists and an empty file', () => {
    const json = JSON.stringify({ objective: ['yaw', '-yaw'], shardSize: 16 })
    expect(resolveSettings({ ...none, file: parseConfigFile('my.json', json) })).toMatchObject({
      objective: ['yaw', '-yaw'],
      shardSize: 16,
    })
    expect(resolveSettings({ ...none, file: file('# nothing yet\n') }).graceSeconds).toBe(25)
  })
})

describe('what is wrong with a setting', () => {
  const refusal = (sources: Parameters<typeof resolveSettings>[0]): string => {
    try {
      resolveSettings(sources)
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-option' })
      return (error as Error).message
    }
    throw new Error('was accepted')
  }

  it('names line and column of a misspelt key and suggests the right one', () => {
    expect(refusal({ ...none, file: file('batch: 2\nshardsize: 4\n') })).toBe(
      'my.yaml:2:1: unknown option "shardsize"; did you mean "shardSize"?',
    )
    expect(refusal({ ...none, file: file('{"batch": 2,\n "obejctive": "yaw"}') })).toBe(
      'my.yaml:2:2: unknown option "obejctive"; did you mean "objective"?',
    )
    expect(refusal({ ...none, file: file('colour: red') })).toMatch(/^my\.yaml:1:1: unknown option "colour"; docs/)
  })

  it('finds every option again after one wrong letter', () => {
    for (const name of settingNames.filter((candidate) => candidate.length > 4)) {
      const wrong = `${name.slice(0, 2)}q${name.slice(3)}`
      expect(refusal({ ...none, file: file(`${wrong}: 1`) })).toContain(`did you mean "${name}"?`)
    }
  })

  it('names the place where text is no YAML, a key stands twice, or there is no mapping', () => {
    expect(() => file('batch: 2\nscope: [all\n')).toThrow(/^my\.yaml:\d+:\d+: not valid YAML or JSON/)
    expect(() => file('batch: 2\nbatch: 3\n')).toThrow(/^my\.yaml:2:1: not valid YAML.*unique/)
    expect(() => file('- batch\n')).toThrow(/^my\.yaml:1:1: a config file holds/)
  })

  it('says for each source what the value must be', () => {
    expect(refusal({ ...none, flags: { scope: 'al' } })).toBe(
      '--scope must be one of all | stem | none (did you mean all?), not "al"',
    )
    expect(refusal({ ...none, environment: { HEADLIGHT_BATCH: 'two' } })).toBe(
      'HEADLIGHT_BATCH must be a whole number of at least 1 (images), not "two"',
    )
    expect(refusal({ ...none, file: file('shardSize: 0') })).toBe(
      'my.yaml:1:1: shardSize must be a whole number from 1 to 100000 (images), not 0',
    )
    expect(refusal({ ...none, file: file('strict: maybe') })).toContain('strict must be true or false, not "maybe"')
    expect(refusal({ ...none, flags: { s3Endpoint: 'ceph:7480' } })).toContain('begins with http:// or https://')
    expect(refusal({ ...none, file: file('batch: "2"') })).toContain('must be a whole number')
  })

  it('shows nothing of a URL in which it is not clear what the password is', () => {
    for (const name of ['s3Endpoint', 'outputS3Endpoint', 'webhook']) {
      for (const url of [
        'https://ann:hun#ter@host',
        'https://ann:hun?ter@host',
        'https://ann:1?hunter@host',
        'https://ann:1/hun@host',
        'https://:h@n#hunter@host',
        'ann:hunter@host',
        'hunter@host',
        'https:///ann:1\\hun@host',
      ]) {
        const said = refusal({ ...none, flags: { [name]: url } })
        expect(said).toMatch(/ must be a URL .*; write @ : \/ \? # % of a user or password as %40 %3A %2F %3F %23 %25$/)
        expect(said).not.toMatch(/hun|ann:/)
      }
    }
    for (const webhook of ['https://ann:p@ss@host/hook?a=1', 'https://host/@me?mail=a@b'])
      expect(resolveSettings({ ...none, flags: { webhook } }).webhook).toBe(webhook)
  })

  it('takes no number from text that only begins like one', () => {
    for (const text of ['1e3', '0x10', ' 4', '4 ', '1_000', 'Infinity']) {
      expect(refusal({ ...none, flags: { batch: text } })).toContain('--batch must be')
    }
  })

  it('refuses variables that are nearly right, and no others', () => {
    expect(refusal({ ...none, environment: { HEADLIGHT_SHARDSIZ: '3' } })).toBe(
      'the environment variable HEADLIGHT_SHARDSIZ means nothing; did you mean HEADLIGHT_SHARD_SIZE?',
    )
    expect(refusal({ ...none, environment: { HEADLIGHT_DATSET: 'x' } })).toContain('did you mean HEADLIGHT_DATASET?')
    const environment: Record<string, string> = { HEADLIGHT_CONFIG: 'x', HEADLIGHT_COLOUR: 'red' }
    // What Kubernetes sets for services of these names.
    for (const service of ['', '_HEALTH', '_REDIS', '_WORKER', '_PRODUCER', '_UNITS', '_QUEUE']) {
      for (const [end, value] of [
        ['SERVICE_HOST', '10.0.0.1'],
        ['SERVICE_PORT', '6379'],
        ['SERVICE_PORT_HTTP', '6379'],
        ['PORT', 'tcp://10.0.0.1:6379'],
        ['PORT_6379_TCP', 'tcp://10.0.0.1:6379'],
        ['PORT_6379_TCP_ADDR', '10.0.0.1'],
        ['PORT_6379_TCP_PROTO', 'tcp'],
      ] as const)
        environment[`HEADLIGHT${service}_${end}`] = value
    }
    expect(resolveSettings({ ...none, environment })).toEqual(resolveSettings(none))
    expect(refusal({ ...none, environment: { HEADLIGHT_PORT: 'http' } })).toContain('HEADLIGHT_PORT must be')
  })
})
