import { openStore } from '../../src/storage/open.ts'
import { startS3Server } from '../support/s3Server.ts'
import { storeContract } from '../support/storeContract.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }

storeContract('s3', async () => {
  const server = await startS3Server(credentials)
  const options = { endpoint: server.endpoint, credentials }
  let count = 0
  return {
    open: () => Promise.resolve(openStore(`s3://bucket/place ${count++}`, options)),
    again: (store) => openStore(store.uri, options),
    fill: (store, keys) => {
      const prefix = store.uri.slice('s3://bucket/'.length)
      for (const key of keys) server.put(prefix + key, 'x')
      return Promise.resolve()
    },
    unfinished: (store) => {
      const prefix = store.uri.slice('s3://bucket/'.length)
      return Promise.resolve(server.unfinished().filter((key) => key.startsWith(prefix)))
    },
    close: () => server.close(),
  }
})
