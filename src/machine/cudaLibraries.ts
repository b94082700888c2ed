import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { runProgram } from './runProgram.ts'

/** Where the links lie in the installation; to be put on LD_LIBRARY_PATH. */
export const librariesFolder = 'libraries'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Libraries of CUDA that one of ours may need, cuDNN's parts included: those are opened by name when they are used. The
 * first group is the family, the second the version that programs are linked against.
 */
const wanted = /^lib(cublas|cudart|curand|cufft|cudnn|nvrtc|nvJitLink)(?:Lt|_\w+)?(?:-builtins)?\.so(?:\.(\d+))?/

/**
 * Links the CUDA and cuDNN libraries that are found on this machine into `folder`, so that one folder on LD_LIBRARY_PATH
 * is enough. Looks where the linker is told to, in CUDA's own folders, and in the packages that come with PyTorch. Each
 * family of libraries is taken from one folder: parts of cuDNN of two releases refuse each other when they meet.
 */
export async function linkCudaLibraries(folder: string, environment: Environment, homeFolder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const chosen = new Map<string, { readonly folder: string; readonly names: readonly string[] }>()
  for (const found of await librariesFolders(environment, homeFolder)) {
    for (const [family, names] of families(await readdir(found).catch(() => []))) {
      // The first folder counts, as the linker has it, unless it holds a part of what a later one holds whole.
      if (libraryCount(names) > libraryCount(chosen.get(family)?.names ?? [])) {
        chosen.set(family, { folder: found, names })
      }
    }
  }
  for (const { folder: found, names } of chosen.values()) {
    for (const name of names) await symlink(join(found, name), join(folder, name))
  }
}

/** By family and version: `cudnn 9` of `libcudnn_ops.so.9` and `libcudnn.so.9.1.0`. */
function families(files: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const name of files) {
    const [, family, version = ''] = wanted.exec(name) ?? []
    if (family === undefined) continue
    const key = `${family} ${version}`
    found.set(key, [...(found.get(key) ?? []), name])
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
  return [
    ...told,
    ...cuda.flatMap((path) => (path === undefined ? [] : [join(path, 'lib64'), join(path, 'lib')])),
    '/usr/lib/x86_64-linux-gnu',
    ...packages,
  ].filter((path) => existsSync(path))
}

async function matching(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name))
}
