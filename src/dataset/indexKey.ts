import { pathOfFileUri } from '../storage/fileUri.ts'
import type { Store } from '../storage/store.ts'

/**
 * The key below the dataset that an index means, which may be written as a path or URI (`./a.png`, `b\\a.png`,
 * `/data/images/a.png` in the dataset `file:///data/images/`). Undefined when it lies elsewhere. Keys that can be laid out
 * in an output as they are stay so.
 */
export function keyBelow(dataset: string, written: string): string | undefined {
  if (!/^\/|\/\/|\\|(^|\/)\.{1,2}(\/|$)/.test(written)) return written
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(written)) {
    if (!written.startsWith('file://')) {
      return written.startsWith(dataset) ? joined(written.slice(dataset.length)) : undefined
    }
    return belowFolder(dataset, pathOf(written))
  }
  const path = written.replaceAll('\\', '/')
  if (path.startsWith('/')) return belowFolder(dataset, path)
  // Another machine's: nothing says which folder of it is the dataset.
  return /^[a-z]:\//i.test(path) ? undefined : joined(path)
}

/** Why the index names no key of the dataset; undefined when it does. */
export function whyNoKey(dataset: string, written: string): string | undefined {
  if (keyBelow(dataset, written) !== undefined) return undefined
  return `the index names ${JSON.stringify(written)}, which does not lie below ${dataset}; name images by their keys there`
}

/** What to know of an image's key that the dataset lacks: a blank at its end is seen in no message. Else undefined. */
export async function blankAround(dataset: Pick<Store, 'head'>, imageKey: string): Promise<string | undefined> {
  const trimmed = imageKey.trim()
  if (trimmed === imageKey || trimmed === '') return undefined
  const says = `the name ${JSON.stringify(imageKey)} ${imageKey.trimStart() === imageKey ? 'ends in' : 'begins with'} a blank`
  const isThere = (await dataset.head(trimmed)) !== undefined
  return isThere ? `${says}, and ${JSON.stringify(trimmed)} is there: correct the index` : says
}

function belowFolder(dataset: string, path: string | undefined): string | undefined {
  const root = dataset.startsWith('file://') ? pathOf(dataset) : undefined
  if (root === undefined || path === undefined) return undefined
  const key = joined(path)
  const folder = joined(root) ?? ''
  if (folder === '') return key
  return key?.startsWith(`${folder}/`) === true ? key.slice(folder.length + 1) : undefined
}

function pathOf(uri: string): string | undefined {
  try {
    return pathOfFileUri(uri)
  } catch {
    return undefined
  }
}

/** Without empty, `.` and `..` parts; undefined when it climbs out, or nothing is left. */
function joined(path: string): string | undefined {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined
    } else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.length === 0 ? undefined : parts.join('/')
}
