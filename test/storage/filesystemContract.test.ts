import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { openStore } from '../../src/storage/open.ts'
import { storeContract } from '../support/storeContract.ts'

storeContract('filesystem', async () => {
  const base = await mkdtemp(join(tmpdir(), 'headlight-storage-'))
  let count = 0
  return {
    open: async () => {
      const store = openStore(join(base, `place ${count++}`))
      await store.check('write')
      return store
    },
    again: (store) => openStore(store.uri),
    unfinished: async (store) => {
      const names = await readdir(new URL(store.uri), { recursive: true })
      return names.filter((name) => /^\.headlight-tmp-(?!files$)/.test(basename(name)))
    },
    close: () => rm(base, { recursive: true, force: true }),
  }
})
