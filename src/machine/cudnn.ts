import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'

/** A CUDA that ONNX Runtime is built for. */
export type Cuda = 12 | 13

/** The parts of cuDNN of one release and one build that lie in one folder. */
export interface CudnnSet {
  readonly folder: string
  /** Null where nothing tells. */
  readonly release: string | null
  readonly cuda: number | null
  /** By the part's name, `libcudnn_ops`: the real file. */
  readonly parts: ReadonlyMap<string, string>
}

/** What every release of cuDNN 9 is made of; some have more. */
export const cudnnParts = [
  'libcudnn',
  'libcudnn_graph',
  'libcudnn_ops',
  'libcudnn_cnn',
  'libcudnn_adv',
  'libcudnn_heuristic',
  'libcudnn_engines_precompiled',
  'libcudnn_engines_runtime_compiled',
] as const

const partFile = /^(libcudnn(?:_\w+)?)\.so\.9(?:\.\d+)*$/

/**
 * The names by which programs and cuDNN's own parts open a part: cuDNN asks for `.so.9.1.0` first, and ONNX Runtime asks
 * for `libcudnn.so` without a version, which NVIDIA's Python packages do not have.
 */
export function namesOfPart(part: string, release: string | null): string[] {
  const numbers = release?.split('.').slice(0, 3) ?? []
  const versions = [numbers.slice(0, 3), numbers.slice(0, 2)].map((some) => some.join('.'))
  return [...new Set([...versions.filter((version) => version.includes('.')), '9'])]
    .map((version) => `${part}.so.${version}`)
    .concat(`${part}.so`)
}

export const lackingParts = ({ parts }: CudnnSet): string[] => cudnnParts.filter((part) => !parts.has(part))

/**
 * All of cuDNN 9 that a folder holds, apart by release: after half an upgrade or a copy by hand it holds parts of two. A
 * file that may be of either is in both.
 */
export async function cudnnSets(folder: string): Promise<CudnnSet[]> {
  const sets = new Map<string, { release: string | null; cuda: number | null; parts: Map<string, string> }>()
  const names = await readdir(folder).catch(() => [])
  for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
    const part = partFile.exec(name)?.[1]
    const file = await realpath(join(folder, name)).catch(() => null)
    if (part === undefined || file === null) continue
    for (const origin of await originsOf(file)) {
      const key = `${origin.release} ${origin.cuda}`
      const set = sets.get(key) ?? { ...origin, parts: new Map() }
      set.parts.set(part, file)
      sets.set(key, set)
    }
  }
  return [...sets.values()].map((set) => ({ folder, ...set }))
}

interface Origin {
  readonly release: string | null
  readonly cuda: number | null
}

/** From the file's own name, else the Python package that brought it, else the header that came with it. */
async function originsOf(file: string): Promise<Origin[]> {
  const named = /\.so\.(9(?:\.\d+)+)$/.exec(basename(file))?.[1]
  const cuda = cudaInPath(file)
  if (named !== undefined) return [{ release: named, cuda }]
  const packages = await packagesBeside(file)
  if (packages.length > 0) return packages
  return [{ release: await releaseInHeader(dirname(file)), cuda }]
}

/** Of `/usr/local/cuda-12.4/lib64`, or `…/libcudnn/13/…`. */
function cudaInPath(path: string): number | null {
  const version = /\/(?:cuda-?|cu|libcudnn\/)(1\d)(?:[./]|$)/.exec(path)?.[1]
  return version === undefined ? null : Number(version)
}

/**
 * The Python packages that the file may be of. Those for CUDA 12 and 13 put files of the same names into one folder, where
 * the later one wins, name by name; each has a list of what it brought, with sizes.
 */
async function packagesBeside(file: string): Promise<Origin[]> {
  const sitePackages = join(dirname(file), '..', '..', '..')
  const { size } = await stat(file)
  const found: (Origin & { readonly fits: boolean })[] = []
  for (const name of await readdir(sitePackages).catch(() => [])) {
    const [, cuda, release] = /^nvidia_cudnn_cu(\d+)-(.+)\.dist-info$/.exec(name) ?? []
    if (cuda === undefined || release === undefined) continue
    const record = await readFile(join(sitePackages, name, 'RECORD'), 'utf8').catch(() => null)
    const line = record?.split('\n').find((text) => text.startsWith(`${relative(sitePackages, file)},`))
    const bytes = line?.trim().split(',').at(-1)
    found.push({ release, cuda: Number(cuda), fits: record === null || Number(bytes) === size })
  }
  const fitting = found.filter(({ fits }) => fits).map(({ release, cuda }) => ({ release, cuda }))
  // One that no package brought was copied there.
  return found.length > 0 && fitting.length === 0 ? [{ release: null, cuda: null }] : fitting
}

async function releaseInHeader(folder: string): Promise<string | null> {
  const header = await readFile(join(folder, '..', 'include', 'cudnn_version.h'), 'utf8').catch(() => '')
  const numbers = ['MAJOR', 'MINOR', 'PATCHLEVEL'].map(
    (name) => new RegExp(`^#define CUDNN_${name} (\\d+)`, 'm').exec(header)?.[1],
  )
  return numbers.includes(undefined) ? null : numbers.join('.')
}
