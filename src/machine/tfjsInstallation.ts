import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { InputError } from '../base/errors.ts'
import { installations } from '../saliency/engines/openEngine.ts'
import { findLibtensorflow, type Libtensorflow } from './libtensorflow.ts'
import { npmCi } from './npmCi.ts'
import { probeEngine } from './probe.ts'
import { runProgram } from './runProgram.ts'
import { moveIn, workshopOf } from './workshop.ts'

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

/** What was asked for. */
const requestSchema = z.object({ given: z.string().nullable(), cuda: z.boolean() })
const markSchema = requestSchema.extend({ tensorflow: z.string(), origin: z.string() })
/** Beside an installation that is being made. */
const requestFile = 'request.json'

const compilerTimeoutMs = 20 * 60_000
const packages = fileURLToPath(new URL('../../config/engines/tfjs/', import.meta.url))

/**
 * Builds the addon of @tensorflow/tfjs-node-gpu against the libtensorflow of a Python package, in a folder of its own,
 * and tests it. The package's own installer fetches a libtensorflow of 2022, which today's GPUs cannot use; its JavaScript
 * and C++ are fine. An installation that passes its test is left as it is. Another one is made beside it and takes its
 * place when it works; one that was interrupted is gone on with, if it was of the same request.
 */
export async function installTfjs(options: InstallTfjsOptions): Promise<void> {
  const { enginesFolder, cuda, environment, say, signal } = options
  const { folder: name, mark, engine } = installations.tfjs
  // Absolute: the addon looks for TensorFlow there from whatever folder it is used in.
  const given = options.tensorflow === undefined ? undefined : resolve(options.tensorflow)
  const request = { given: given ?? null, cuda }
  const installed = join(enginesFolder, name)
  const known = await readJson(join(installed, mark), markSchema)
  if (known !== null && isSame(known, request)) {
    const probe = await probeEngine(engine, enginesFolder, environment)
    if (probe.ok) return say(`${engine} is installed already, with TensorFlow ${known.tensorflow} (${known.origin})`)
    say(`the installed ${engine} does not work (${probe.problem}): building it again`)
  }
  const folder = join(workshopOf(enginesFolder), name)
  const begun = await readJson(join(folder, requestFile), requestSchema)
  if (begun === null || !isSame(begun, request)) await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(join(folder, requestFile), JSON.stringify(request))
  // Cheap to look at, and a wrong path should not wait for a download.
  const there =
    given === undefined
      ? null
      : await findLibtensorflow({ given, cuda, workFolder: folder, say, signal }).catch(async (error: unknown) => {
          await rm(workshopOf(enginesFolder), { recursive: true, force: true })
          throw error
        })

  await cp(packages, folder, { recursive: true })
  say('installing the packages of TensorFlow.js')
  await npmCi(folder, signal)
  const found = there ?? (await findLibtensorflow({ given, cuda, workFolder: folder, say, signal }))
  say(`TensorFlow ${found.version}: ${found.origin}`)
  say('compiling the addon')
  await compile(folder, found, signal)
  const made = { ...request, tensorflow: found.version, origin: found.origin }
  await writeFile(join(folder, mark), `${JSON.stringify(made)}\n`)
  say('testing it: a convolution and its gradient against finite differences')
  const probe = await probeEngine(engine, workshopOf(enginesFolder), environment)
  if (!probe.ok) {
    await rm(join(folder, mark), { force: true })
    throw new InputError('bad-engine', `the addon was built but does not work: ${probe.problem}`)
  }
  await moveIn(name, enginesFolder)
  // Only now: an installation that is interrupted goes on with them.
  await rm(join(installed, 'wheel'), { recursive: true, force: true })
  if (found.temporary) await rm(join(installed, relative(folder, found.headers)), { recursive: true, force: true })
  say(`${engine} works, on ${probe.device}`)
  if (cuda && probe.device !== 'a GPU') {
    say(
      'TensorFlow sees no GPU: it needs an NVIDIA driver and the CUDA 12 and cuDNN 9 libraries (pip install tensorflow[and-cuda] brings them into an environment; give that as --tensorflow)',
    )
  }
}

async function compile(
  folder: string,
  { libraries, headers, temporary }: Libtensorflow,
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
    // What was unpacked beside the addon moves with it.
    `-Wl,-rpath,${temporary ? join('$ORIGIN', relative(folder, libraries)) : libraries}`,
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

const isSame = (a: z.infer<typeof requestSchema>, b: z.infer<typeof requestSchema>): boolean =>
  a.given === b.given && a.cuda === b.cuda

/** Null where there is none, or none that can be read: then it is made again. */
async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}
