/**
 * The contract against a real S3 service, such as Ceph, when the environment names one:
 * `HEADLIGHT_TEST_S3_ENDPOINT=http://127.0.0.1:7480 HEADLIGHT_TEST_S3_ACCESS_KEY=… HEADLIGHT_TEST_S3_SECRET_KEY=…`.
 * A bucket of its own is made there and taken away again.
 */
import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, DeleteBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import { storeContract } from '../support/storeContract.ts'

const {
  HEADLIGHT_TEST_S3_ENDPOINT: endpoint,
  HEADLIGHT_TEST_S3_ACCESS_KEY: accessKeyId = '',
  HEADLIGHT_TEST_S3_SECRET_KEY: secretAccessKey = '',
} = process.env

describe.skipIf(endpoint === undefined)('a real S3 service', () => {
  const options = { endpoint, credentials: { accessKeyId, secretAccessKey } }

  storeContract(endpoint ?? 'none', async () => {
    const bucket = `headlight-test-${randomUUID()}`
    const admin = new S3Client({ ...options, endpoint: String(endpoint), region: 'us-east-1', forcePathStyle: true })
    await admin.send(new CreateBucketCommand({ Bucket: bucket }))
    let count = 0
    return {
      open: () => Promise.resolve(openStore(`s3://${bucket}/place ${count++}`, options)),
      again: (store) => openStore(store.uri, options),
      unfinished: async (store) => {
        const Prefix = store.uri.slice(`s3://${bucket}/`.length)
        const { Uploads = [] } = await admin.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }))
        return Uploads.map(({ Key }) => Key ?? '')
      },
      close: async () => {
        const all = openStore(`s3://${bucket}`, options)
        const deletions: Promise<void>[] = []
        for await (const { key } of all.list()) {
          deletions.push(all.delete(key))
          if (deletions.length === 32) await Promise.all(deletions.splice(0))
        }
        await Promise.all(deletions)
        all.close()
        await admin.send(new DeleteBucketCommand({ Bucket: bucket }))
        admin.destroy()
      },
    }
  })

  it('tells a missing bucket from wrong credentials', async () => {
    const missing = openStore(`s3://headlight-test-${randomUUID()}/x`, options)
    await expect(missing.check('read')).rejects.toMatchObject({ name: 'InputError', code: 'no-such-bucket' })
    for (const credentials of [
      { accessKeyId, secretAccessKey: 'wrong' },
      { accessKeyId: 'nobody', secretAccessKey },
    ]) {
      const refused = openStore('s3://headlight-test/x', { endpoint, credentials })
      await expect(refused.check('read')).rejects.toMatchObject({ name: 'InputError', code: 'access-denied' })
    }
  })
})
