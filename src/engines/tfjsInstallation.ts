import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { installations } from '../saliency/engine.ts'
import { findLibtensorflow, type Libtensorflow } from './libtensorflow.ts'
import { probeEngine } from './probe.ts'
import { runProgram } from './runProgram.ts'

export interface InstallTfjsOptions {
  readonly enginesFolder: string
  /** A wheel, a folder of TensorFlow, a virtual environment or its Python. */
  readonly tensorflow: string | undefined
  /** Download TensorFlow with CUDA. */
  readonly cuda: boolean
  /** Of the process that tries it. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
  /** Stops it; the next call goes on from there. */
  readonly signal?: AbortSignal | undefined
}

const markSchema = z.object({
  tensorflow: z.string(),
  origin: z.string(),
  given: z.string().nullable(),
  cuda: z.boolean(),
})

const compilerTimeoutMs = 20 * 60_000
const packages = fileURLToPath(new URL('../../config/engines/tfjs/', import.meta.url))

/**
 * Builds the addon of @tensorflow/tfjs-node-gpu against the libtensorflow of a Python package, in a folder of its own,
 * and tests it. The package's own installer fetches a libtensorflow of 2022, which today's GPUs cannot use; its JavaScript
 * and C++ are fine. An installation that passes its test is left as it is; one that was interrupted is gone on with.
 */
export async function installTfjs(options: InstallTfjsOptions): Promise<void> {
  const { enginesFolder, tensorflow, cuda, environment, say, signal } = options
  const { folder: name, mark, engine } = installations.tfjs
  const folder = join(enginesFolder, name)
  const known = await readMark(join(folder, mark))
  if (known !== null && known.cuda === cuda && known.given === (tensorflow ?? null)) {
    const probe = await probeEngine(engine, enginesFolder, environment)
    if (probe.ok) return say(`${engine} is installed already, with TensorFlow ${known.tensorflow} (${known.origin})`)
    say(`the installed ${engine} does not work (${probe.problem}): building it again`)
  }
  // Without its mark nobody uses the folder while it is made.
  await rm(join(folder, mark), { force: true })
  if (known !== null) await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })

  await cp(packages, folder, { recursive: true })
  say('installing the packages of TensorFlow.js')
  const npm = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await runProgram('npm', npm, { cwd: folder, timeoutMs: 10 * 60_000, signal })
  const found = await findLibtensorflow({ given: tensorflow, cuda, workFolder: folder, say, signal })
  say(`TensorFlow ${found.version}: ${found.origin}`)
  say('compiling the addon')
  await compile(folder, found, signal)
  const made = { tensorflow: found.version, origin: found.origin, given: tensorflow ?? null, cuda }
  await writeFile(join(folder, mark), `${JSON.stringify(made)}\n`)
  say('testing it: a convolution and its gradient against finite differences')
  const probe = await probeEngine(engine, enginesFolder, environment)
  if (!probe.ok) {
    await rm(join(folder, mark), { force: true })
    throw new InputError('bad-engine', `the addon was built but does not work: ${probe.problem}`)
  }
  if (found.temporary) {
    await rm(found.headers, { recursive: true, force: true })
    await rm(join(folder, 'wheel'), { recursive: true, force: true })
  }
  say(`${engine} works, on ${probe.device}`)
  if (cuda && probe.device !== 'a GPU') {
    say(
      'TensorFlow sees no GPU: it needs an NVIDIA driver and the CUDA 12 and cuDNN 9 libraries (pip install tensorflow[and-cuda] brings them into an environment; give that as --tensorflow)',
    )
  }
}

async function compile(
  folder: string,
  { libraries, headers }: Libtensorflow,
  signal: AbortSignal | undefined,
): Promise<void> {
  const packageFolder = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
  const flags = ['-std=c++17', '-O2', '-fPIC', '-shared']
  const macros = ['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding', '-DBUILDING_NODE_EXTENSION']
  const nodeHeaders = join(folder, 'node_modules', 'node-api-headers', 'include')
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(packageFolder, 'binding', file))
  const linked = ['-L', libraries, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2']
  const args = [
    ...flags,
    ...macros,
    '-I',
    packageFolder,
    '-I',
    nodeHeaders,
    '-I',
    headers,
    ...sources,
    ...linked,
    `-Wl,-rpath,${libraries}`,
    '-o',
    join(folder, 'tfjs_binding.node'),
  ]
  try {
    await runProgram('g++', args, { timeoutMs: compilerTimeoutMs, signal })
  } catch (error) {
    const isMissing = error instanceof Error && String(error.cause).includes('ENOENT')
    const reason = error instanceof Error ? error.message : String(error)
    throw new InputError(
      'bad-engine',
      isMissing ? 'there is no C++ compiler: install g++ (apt install g++)' : `the addon does not compile: ${reason}`,
      { cause: error },
    )
  }
}

async function readMark(path: string): Promise<z.infer<typeof markSchema> | null> {
  if (!existsSync(path)) return null
  return markSchema.parse(JSON.parse(await readFile(path, 'utf8')))
}
