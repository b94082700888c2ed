/** Why a file is no sample of a dataset, though it may be an image: `name`, `link`, `none` (no suffix), or its suffix. */
export type LeftOutReason = 'name' | 'link' | 'none' | `.${string}`

/** By reason: how many files were left out, and one of them. */
export type LeftOut = Readonly<Record<string, { readonly count: number; readonly example: string }>>

/** Hears what the listing of a dataset leaves out. */
export interface LeftOutListener {
  /**
   * Images in `folder` that no key can name; see `ListOptions.onUnnamed`. Told before any sample of that folder, and again
   * when the folder is read again. Without keys: whatever lies below that folder cannot be seen.
   */
  unnamed(folder: string, keys: readonly string[]): void
  /** A file that is not taken for an image, in the order of keys. */
  untaken(key: string, reason: LeftOutReason): void
}

/** Suffixes of pictures that headlight does not read, so that a dataset that has them has images that are missing. */
const otherImages = new Set(
  `heic heics heif heifs hif avifs jxl jp2 j2k j2c jpc jpf jpx jpm jxr wdp hdp mpo jps jng apng mng dib pcx tga pbm pgm ppm
  pnm pam pfm exr hdr svg psd ico dng cr2 cr3 crw nef nrw arw srf sr2 orf rw2 raf pef srw x3f iiq`.split(/\s+/),
)

/** Files without a suffix that come with datasets and are known to be text. */
const texts =
  /^(readme|licen[cs]e|copying|notice|authors|contributors|changelog|makefile|dockerfile|(md5|sha\d+)sums?)$/i

/**
 * Why a key that is not taken for an image may be one all the same; `undefined` for any other file, and for hidden ones.
 */
export function leftOutReason(key: string, etag: string): LeftOutReason | undefined {
  if (key.startsWith('.') || key.includes('/.')) return undefined
  const name = key.slice(key.lastIndexOf('/') + 1)
  const suffix = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase()
  if (suffix !== undefined) return otherImages.has(suffix) ? `.${suffix}` : undefined
  // It may have led to a folder of images.
  if (etag === '') return 'link'
  return texts.test(name) ? undefined : 'none'
}

/** Counts what is left out. */
export class LeftOutTally implements LeftOutListener {
  readonly #byReason = new Map<string, { count: number; example: string }>()
  readonly #unnamed = new Map<string, readonly string[]>()

  unnamed(folder: string, keys: readonly string[]): void {
    this.#unnamed.set(folder, keys)
  }

  untaken(key: string, reason: LeftOutReason): void {
    this.add({ [reason]: { count: 1, example: key } })
  }

  add(leftOut: LeftOut): void {
    for (const [reason, { count, example }] of Object.entries(leftOut)) {
      const known = this.#byReason.get(reason)
      this.#byReason.set(reason, { count: (known?.count ?? 0) + count, example: known?.example ?? example })
    }
  }

  /** By the reasons' names; empty when nothing is left out. */
  counts(): LeftOut {
    const all = new LeftOutTally()
    all.add(Object.fromEntries(this.#byReason))
    for (const keys of this.#unnamed.values()) for (const key of keys) all.untaken(key, 'name')
    return Object.fromEntries([...all.#byReason].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** `11 files: 10 with names that are not UTF-8 (such as a), 1 .heic (b)`; undefined when nothing is left out. */
export function leftOutText(leftOut: LeftOut | undefined): string | undefined {
  const reasons = Object.entries(leftOut ?? {})
  if (reasons.length === 0) return undefined
  const number = (value: number) => value.toLocaleString('en-US')
  const parts = reasons.map(([reason, { count, example }]) => {
    const meaning = meanings[reason]?.[count === 1 ? 'one' : 'many'] ?? reason
    return `${number(count)} ${meaning} (${count === 1 ? '' : 'such as '}${example})`
  })
  const total = reasons.reduce((sum, [, { count }]) => sum + count, 0)
  return `${number(total)} ${total === 1 ? 'file' : 'files'}: ${parts.join(', ')}`
}

const meanings: Readonly<Record<string, { readonly one: string; readonly many: string }>> = {
  name: { one: 'with a name that is not UTF-8', many: 'with names that are not UTF-8' },
  link: { one: 'link that leads nowhere', many: 'links that lead nowhere' },
  none: { one: 'without a suffix', many: 'without a suffix' },
}
