import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../base/errors.ts'
import { runProgram } from './runProgram.ts'

/** The version that is downloaded when none is found; others of the same layout (2.16 and newer) should work too. */
const tensorflowVersion = '2.21.0'

/** TensorFlow's libraries and headers, as they lie in its Python package. */
export interface Libtensorflow {
  /** Holds libtensorflow_cc.so.2 and libtensorflow_framework.so.2. */
  readonly libraries: string
  readonly headers: string
  readonly version: string
  /** Where it was found, for people. */
  readonly origin: string
  /** Whether it is the package that has no CUDA. */
  readonly isForCpus: boolean
  /** Headers that are only needed to build, to be removed afterwards. */
  readonly temporary: boolean
}

export interface SearchOptions {
  /** What was given as --tensorflow: a wheel, a folder of TensorFlow, a virtual environment or its Python. */
  readonly given: string | undefined
  /** Whether the wheel with CUDA is downloaded. */
  readonly cuda: boolean
  /** Where a downloaded or given wheel is unpacked. */
  readonly workFolder: string
  readonly say: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

const libraryNames = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const
const downloadTimeoutMs = 30 * 60_000

/** A given place, else an installed TensorFlow of python3, else a download through pip. */
export async function findLibtensorflow(options: SearchOptions): Promise<Libtensorflow> {
  const { given } = options
  if (given !== undefined) {
    const found = await lookedUp(given, options)
    if (found !== null) return found
    throw new InputError(
      'bad-option',
      `--tensorflow ${given} is neither a TensorFlow wheel nor a folder or environment that holds libtensorflow_cc.so.2`,
    )
  }
  const installed = await ofPython('python3')
  if (installed !== null && !(options.cuda && installed.isForCpus)) return installed
  return unpacked(await downloadedWheel(options), options, 'downloaded by pip')
}

async function lookedUp(given: string, options: SearchOptions): Promise<Libtensorflow | null> {
  if (!existsSync(given)) return null
  if ((await stat(given)).isDirectory()) {
    const folder = await inFolder(given, given)
    if (folder !== null) return folder
    const python = join(given, 'bin', 'python')
    return existsSync(python) ? ofPython(python) : null
  }
  return given.endsWith('.whl') ? unpacked(given, options, given) : ofPython(given)
}

async function inFolder(folder: string, origin: string): Promise<Libtensorflow | null> {
  for (const candidate of [folder, join(folder, 'tensorflow')]) {
    if (!libraryNames.every((name) => existsSync(join(candidate, name)))) continue
    const headers = join(candidate, 'include')
    if (!existsSync(headers)) continue
    const { version, isForCpus } = await packageBeside(candidate)
    return { libraries: candidate, headers, version, isForCpus, origin, temporary: false }
  }
  return null
}

/** TensorFlow as a Python finds it, without importing it, which takes seconds. */
async function ofPython(python: string): Promise<Libtensorflow | null> {
  const script =
    "import importlib.util as u; s = u.find_spec('tensorflow'); print(s.submodule_search_locations[0] if s else '')"
  const folder = await runProgram(python, ['-c', script], { timeoutMs: 60_000 }).catch(() => '')
  return folder === '' ? null : inFolder(folder, `the TensorFlow of ${python}`)
}

async function downloadedWheel({ cuda, workFolder, say, signal }: SearchOptions): Promise<string> {
  const requirement = `${cuda ? 'tensorflow' : 'tensorflow-cpu'}==${tensorflowVersion}`
  const folder = join(workFolder, 'wheel')
  await mkdir(folder, { recursive: true })
  say(`downloading ${requirement} with pip (about ${cuda ? 600 : 270} MB)`)
  const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, requirement]
  try {
    await runProgram('python3', args, { timeoutMs: downloadTimeoutMs, signal })
  } catch (error) {
    throw new InputError(
      'bad-engine',
      `TensorFlow could not be downloaded (${error instanceof Error ? error.message : String(error)}): install it in any Python environment and give that as --tensorflow`,
      { cause: error },
    )
  }
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new InputError('bad-engine', `pip left no wheel in ${folder}`)
  return join(folder, wheel)
}

/** Takes libraries and headers out of a wheel. What stands complete from an earlier, interrupted call is kept. */
async function unpacked(
  wheel: string,
  { workFolder, say, signal }: SearchOptions,
  origin: string,
): Promise<Libtensorflow> {
  const done = join(workFolder, 'tensorflow')
  if (!existsSync(done)) {
    say('unpacking libtensorflow')
    const partial = join(workFolder, 'tensorflow.partial')
    await rm(partial, { recursive: true, force: true })
    const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wanted = ('tensorflow/include/', 'tensorflow/libtensorflow_')
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted) or name.endswith('.dist-info/METADATA')])
`
    await runProgram('python3', ['-c', script, wheel, partial], { timeoutMs: 10 * 60_000, signal })
    await rename(partial, done)
  }
  const found = await inFolder(join(done, 'tensorflow'), origin)
  if (found === null) throw new InputError('bad-option', `the wheel ${wheel} holds no libtensorflow_cc.so.2`)
  return { ...found, temporary: true }
}

/** From the folder of the package's metadata beside it, which is named after package and version. */
async function packageBeside(folder: string): Promise<Pick<Libtensorflow, 'version' | 'isForCpus'>> {
  const names = await readdir(join(folder, '..'))
  const found = names
    .map((name) => /^tensorflow(_cpu|_gpu)?-(.+)\.dist-info$/.exec(name))
    .find((match) => match !== null)
  return { version: found?.[2] ?? 'of unknown version', isForCpus: found?.[1] === '_cpu' }
}
