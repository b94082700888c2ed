import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const infra = fileURLToPath(new URL('../../infra/', import.meta.url))
/** Terraform leaves files beside what it reads. */
const folder = mkdtempSync(join(tmpdir(), 'headlight-terraform-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Folders with an unpacked AWS provider, as machines have them that reach no registry. */
const provider = [join(homedir(), '.terraform.d/plugins'), '/usr/local/share/terraform/plugins']
  .concat(existsSync('/opt') ? readdirSync('/opt').map((name) => join('/opt', name)) : [])
  .find((path) => existsSync(join(path, 'registry.terraform.io/hashicorp/aws')))

const terraform = (where: string, ...args: string[]) => {
  const { status, stdout, stderr, error } = spawnSync('terraform', [...args, '-no-color'], {
    cwd: join(folder, 'terraform', where),
    encoding: 'utf8',
    env: { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: 'true' },
  })
  return { status: error ? null : status, said: `${stdout}${stderr}` }
}

cpSync(join(infra, 'redis'), join(folder, 'redis'), { recursive: true })
cpSync(join(infra, 'terraform'), join(folder, 'terraform'), {
  recursive: true,
  filter: (path) => !/[/\\]\.terraform/.test(path),
})
const isThere = terraform('.', 'version').status === 0

test.skipIf(!isThere)('files have the standard form (skipped without terraform)', () => {
  expect(terraform('.', 'fmt', '-check', '-recursive', '-diff')).toEqual({ status: 0, said: '' })
})

describe.skipIf(!isThere || provider === undefined)(
  'with a provider that makes nothing (skipped without terraform or an unpacked AWS provider)',
  () => {
    // It refuses first what `terraform validate` would.
    test.each(['.', 'examples/nightly'])('terraform test in %s', { timeout: 600_000 }, (where) => {
      expect(terraform(where, 'init', '-input=false', `-plugin-dir=${provider}`)).toMatchObject({ status: 0 })
      expect(terraform(where, 'test')).toMatchObject({ status: 0, said: expect.stringContaining(' 0 failed') })
    })
  },
)
