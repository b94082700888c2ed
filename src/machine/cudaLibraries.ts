import { existsSync } from 'node:fs'
import { mkdir, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { cudnnParts, cudnnSets, lackingParts, namesOfPart, type Cuda, type CudnnSet } from './cudnn.ts'
import { runProgram } from './runProgram.ts'

/** Where the links lie in the installation; to be put on LD_LIBRARY_PATH. */
export const librariesFolder = 'libraries'

/**
 * In it, and behind it on LD_LIBRARY_PATH: empty files at which the linker stops, named like the parts of cuDNN that the
 * chosen release lacks. Else it would go on to the user's and the system's folders and find another release's.
 */
export const absentFolder = join(librariesFolder, 'absent')

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Libraries of CUDA that one of ours may need, but for cuDNN's. The first group is the family, the second the version that
 * programs are linked against.
 */
const wanted = /^lib(cublas|cudart|curand|cufft|nvrtc|nvJitLink)(?:Lt|_\w+)?(?:-builtins)?\.so\.(\d+)/

const versionOf: { readonly [family: string]: (cuda: Cuda) => number } = {
  curand: () => 10,
  cufft: (cuda) => cuda - 1,
}

/** What a build for each version of CUDA opens only when it first needs it. */
export const openedLater = (cuda: Cuda): string[] => [
  ...cudnnParts.map((part) => `${part}.so.9`),
  `libcufft.so.${cuda - 1}`,
  `libnvrtc.so.${cuda}`,
]

export interface LinkOptions {
  /** What the libraries are to serve. */
  readonly cuda: Cuda
  readonly environment: Environment
  readonly homeFolder: string
  readonly say: (line: string) => void
}

/**
 * Links the CUDA and cuDNN libraries that are found on this machine into `libraries` of the folder of an installation, so
 * that LD_LIBRARY_PATH needs nothing else. Looks where the linker is told to, in CUDA's own folders, and in the packages
 * that come with PyTorch. Each family of libraries is taken from one folder, and cuDNN of one release: parts of two refuse
 * each other when they meet.
 */
export async function linkCudaLibraries(installation: string, options: LinkOptions): Promise<void> {
  const { cuda, environment, homeFolder, say } = options
  const libraries = join(installation, librariesFolder)
  const absent = join(installation, absentFolder)
  await rm(libraries, { recursive: true, force: true })
  await mkdir(absent, { recursive: true })
  const folders = await librariesFolders(environment, homeFolder)
  const chosen = new Map<string, { readonly folder: string; readonly names: readonly string[] }>()
  for (const found of folders) {
    for (const [family, names] of families(await readdir(found).catch(() => []), cuda)) {
      // The first folder counts, as the linker has it, unless it holds a part of what a later one holds whole.
      if (libraryCount(names) > libraryCount(chosen.get(family)?.names ?? [])) {
        chosen.set(family, { folder: found, names })
      }
    }
  }
  for (const { folder: found, names } of chosen.values()) {
    for (const name of names) await symlink(join(found, name), join(libraries, name))
  }
  // ONNX Runtime asks for it without a version, which NVIDIA's Python packages do not have.
  const compiler = join(libraries, `libnvrtc.so.${cuda}`)
  if (existsSync(compiler)) await symlink(`libnvrtc.so.${cuda}`, join(libraries, 'libnvrtc.so'))
  await linkCudnn((await Promise.all(folders.map(cudnnSets))).flat(), { libraries, absent, cuda, say })
}

async function linkCudnn(
  sets: readonly CudnnSet[],
  { libraries, absent, cuda, say }: Pick<LinkOptions, 'cuda' | 'say'> & { libraries: string; absent: string },
): Promise<void> {
  const chosen = bestOf(sets, cuda)
  for (const set of sets) {
    const why =
      set.cuda !== null && set.cuda !== cuda
        ? `it is for CUDA ${set.cuda}, not ${cuda}`
        : lackingParts(set).length > 0
          ? `it lacks ${lackingParts(set).join(', ')}`
          : null
    if (why !== null) say(`${described(set)} is ${set === chosen ? 'taken, though' : 'left out:'} ${why}`)
  }
  for (const [part, file] of chosen?.parts ?? []) {
    for (const name of namesOfPart(part, chosen?.release ?? null)) await symlink(file, join(libraries, name))
  }
  const known = new Set([...cudnnParts, ...sets.flatMap(({ parts }) => [...parts.keys()])])
  // Where there is none at all, nothing is kept out: one that comes later may be found.
  const releases = new Set(sets.map(({ release }) => release))
  for (const part of known) {
    if (chosen?.parts.has(part) === true) continue
    const names = new Set([...releases].flatMap((release) => namesOfPart(part, release)))
    for (const name of names) await writeFile(join(absent, name), '')
  }
}

/** The most complete one, then one that is known to be for this CUDA, then the first one. */
function bestOf(sets: readonly CudnnSet[], cuda: Cuda): CudnnSet | undefined {
  const lacking = (set: CudnnSet) => lackingParts(set).length
  const [best] = sets
    .filter((set) => set.cuda === null || set.cuda === cuda)
    .toSorted((a, b) => lacking(a) - lacking(b) || Number(b.cuda === cuda) - Number(a.cuda === cuda))
  return best
}

const described = ({ folder, release }: CudnnSet): string =>
  `cuDNN${release === null ? ' of an unknown release' : ` ${release}`} in ${folder}`

/** By family, of the versions that belong to this CUDA. */
function families(files: readonly string[], cuda: Cuda): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const name of files) {
    const [, family, version] = wanted.exec(name) ?? []
    if (family === undefined || Number(version) !== (versionOf[family]?.(cuda) ?? cuda)) continue
    found.set(family, [...(found.get(family) ?? []), name])
  }
  return found
}

/** Some folders hold each library under several names. */
const libraryCount = (names: readonly string[]): number => new Set(names.map((name) => name.split('.so')[0])).size

/** Of what `library` needs and of `more`, which is opened only later, the names that the linker cannot find. */
export async function missingLibraries(library: string, folder: string, more: readonly string[]): Promise<string[]> {
  const script = 'LD_LIBRARY_PATH="$1" ldd "$2"'
  const listed = await runProgram('sh', ['-c', script, 'sh', folder, library], { timeoutMs: 60_000 })
  const needed = listed
    .split('\n')
    .filter((line) => line.includes('not found'))
    .map((line) => line.trim().split(' ')[0] ?? '')
  return [...needed, ...more.filter((name) => !existsSync(join(folder, name)))]
}

async function librariesFolders(environment: Environment, homeFolder: string): Promise<string[]> {
  const told = (environment['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter((path) => path !== '')
  const cuda = [environment['CUDA_HOME'], environment['CUDA_PATH'], ...(await matching('/usr/local', /^cuda/))]
  const environments = [
    environment['VIRTUAL_ENV'],
    environment['CONDA_PREFIX'],
    join(homeFolder, '.local'),
    '/usr/local',
    '/usr',
  ]
  const packages: string[] = []
  for (const root of environments.filter((path) => path !== undefined)) {
    for (const python of await matching(join(root, 'lib'), /^python3/)) {
      for (const sitePackages of [join(python, 'site-packages'), join(python, 'dist-packages')]) {
        for (const one of await matching(join(sitePackages, 'nvidia'), /./)) packages.push(join(one, 'lib'))
        packages.push(join(sitePackages, 'torch', 'lib'))
      }
    }
  }
  const folders = [
    ...told,
    ...cuda.flatMap((path) => (path === undefined ? [] : [join(path, 'lib64'), join(path, 'lib')])),
    '/usr/lib/x86_64-linux-gnu',
    ...packages,
  ]
  // One folder has several names: /usr/local/cuda is a link.
  const byPlace = new Map<string, string>()
  for (const path of folders) {
    const place = await realpath(path).catch(() => null)
    if (place !== null && !byPlace.has(place)) byPlace.set(place, path)
  }
  return [...byPlace.values()]
}

async function matching(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name))
}
