import { openStore, type OpenStoreOptions } from './open.ts'
import type { StoreTrial } from './trial.ts'

/** Raises InputError `bad-uri` and `bad-option` as `openStore` does. */
export async function openTrial(uri: string, options: OpenStoreOptions): Promise<StoreTrial> {
  const store = openStore(uri, options)
  store.close()
  if (store.uri.startsWith('s3:')) {
    const { S3Trial } = await import('./s3Trial.ts')
    return S3Trial.open(store.uri, { ...options, endpoint: store.endpoint })
  }
  const { FolderTrial } = await import('./folderTrial.ts')
  return new FolderTrial(store.uri)
}
