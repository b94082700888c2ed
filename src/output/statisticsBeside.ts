import { InputError } from '../base/errors.ts'
import type { DescriptionOverride } from '../saliency/networks/description.ts'
import type { NetworkFolder } from './networkFolder.ts'

/** Names of the two arrays: 3DDFA_V2's file, and SynergyNet's. */
const arrayNames = { mean: ['mean', 'param_mean'], std: ['std', 'param_std'] } as const

/**
 * The description with numbers in place of `stats: FILE`, which names a NumPy file beside the network: what a head's mean
 * and std are, so that the result set holds them and nobody needs the file again. `source` is where the description lies.
 * InputErrors: `bad-description` when there is no such file or it lacks one of the two, `bad-checkpoint` when it is damaged.
 */
export async function withStatistics(
  override: DescriptionOverride,
  source: string,
  folder: NetworkFolder,
): Promise<unknown> {
  const heads = override.heads
  if (heads === undefined) return override
  const resolved: unknown[] = []
  for (const head of heads) {
    if ('stats' in head && typeof head.stats === 'string') {
      const { stats, ...rest } = head
      // A number that is written out comes before the file's.
      resolved.push({ ...(await statisticsIn(stats, source, folder)), ...rest })
    } else resolved.push(head)
  }
  return { ...override, heads: resolved }
}

async function statisticsIn(
  name: string,
  source: string,
  folder: NetworkFolder,
): Promise<Record<'mean' | 'std', readonly number[]>> {
  // A path would lead to what is not the network's, on a machine or in a bucket.
  const bytes = /[/\\]/.test(name) ? undefined : await folder.get(name)
  if (bytes === undefined) {
    throw new InputError(
      'bad-description',
      `${source} names stats: ${name}, and no file of this name lies beside the network: put it there, or write mean and std as numbers`,
    )
  }
  const { readNumpyArrays } = await import('../saliency/weights/numpyArrays.ts')
  const arrays = readNumpyArrays(bytes, name)
  const numbers = (array: 'mean' | 'std'): number[] => {
    const found = arrayNames[array].flatMap((known) => arrays.get(known) ?? [])[0]
    if (found) return [...found.data]
    throw new InputError(
      'bad-description',
      `${folder.placeOf(name)} holds no array named ${array}, only ${[...arrays.keys()].join(', ')}: write mean and std as numbers in ${source}`,
    )
  }
  return { mean: numbers('mean'), std: numbers('std') }
}
