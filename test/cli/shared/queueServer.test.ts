import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { findExecutable } from '../../../src/base/executable.ts'
import { headlight, imageFolder, networkFile } from '../../support/headlight.ts'

const folder = mkdtempSync(join(tmpdir(), 'headlight-unpack-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('says that a server is being unpacked before it begins, unless it is to be quiet', async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const name of ['flock', 'sh']) symlinkSync(findExecutable(name, process.env.PATH ?? '') ?? '', join(bin, name))
  for (const name of ['apt-get', 'dpkg-deb']) {
    writeFileSync(join(bin, name), '#!/bin/sh\necho "E: no network" >&2; exit 100\n')
    chmodSync(join(bin, name), 0o755)
  }
  const run = (...more: string[]) =>
    headlight(
      ['run', '--dataset', imageFolder, '--network', networkFile, '--output', join(folder, 'out'), ...more].concat(
        '--state-folder',
        join(folder, 'state'),
      ),
      { PATH: bin },
    )
  const { code, stderr } = await run()
  expect(code).toBe(2)
  const [first, ...others] = stderr.split('\n')
  expect(first).toMatch(/^no redis-server is installed: unpacking the distribution's, once/)
  expect(others.join('\n')).toContain('could not be unpacked')
  expect((await run('--quiet')).stderr).not.toContain('unpacking the')
})
