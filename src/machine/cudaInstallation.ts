import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { InputError } from '../base/errors.ts'
import { installations } from '../saliency/engines/openEngine.ts'
import { librariesFolder, linkCudaLibraries, missingLibraries } from './cudaLibraries.ts'
import { npmCi } from './npmCi.ts'
import { probeEngine } from './probe.ts'
import { runProgram } from './runProgram.ts'
import { moveIn, workshopOf } from './workshop.ts'

export interface InstallCudaOptions {
  readonly enginesFolder: string
  readonly homeFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
}

const packages = fileURLToPath(new URL('../../config/engines/cuda/', import.meta.url))

/** The files of the npm package, which somebody else publishes than ONNX Runtime: exactly these are taken, or none. */
const providerFiles = {
  'libonnxruntime_providers_shared.so': 'c6a12593396095f5670160e284c35d1700b7708cf3037b7042e2a5200ccae772',
  'libonnxruntime_providers_cuda.so': '56cf3254b118ad837ccc4ed8f6d1b23504bbf7ef91b34cbc0b289cb7f10b3037',
} as const

/** What a build for each version of CUDA opens only when it first needs it. */
const openedLater = { 12: ['libcudnn.so.9', 'libcufft.so.11'], 13: ['libcudnn.so.9', 'libcufft.so.12'] } as const
const pipPackages = {
  12: 'nvidia-cublas-cu12 nvidia-cuda-runtime-cu12 nvidia-curand-cu12 nvidia-cufft-cu12 nvidia-cudnn-cu12',
  13: 'nvidia-cublas nvidia-cuda-runtime nvidia-curand nvidia-cufft nvidia-cudnn-cu13',
} as const

const officialTimeoutMs = 5 * 60_000

/**
 * Puts ONNX Runtime with its CUDA provider into a folder of its own: binding and provider are of one version, which need
 * not be that of headlight's own copy. The provider is what the package's own installer downloads (for CUDA 12), else,
 * where that cannot be reached, the files of an npm package (for CUDA 13), known by their SHA-256. One of another version
 * of ONNX Runtime than headlight was written for is replaced.
 */
export async function installCuda({ enginesFolder, homeFolder, environment, say }: InstallCudaOptions): Promise<void> {
  const { folder: name, mark, engine } = installations.cuda
  const folder = join(enginesFolder, name)
  const version = await knownVersion()
  const present = await installedVersion(join(folder, mark))
  if (present === version) {
    say(`${engine} is installed already: looking for the libraries that it needs`)
  } else {
    if (present !== undefined) say(`${engine} is there with ONNX Runtime ${present}, not ${version}: installing that`)
    await make(join(workshopOf(enginesFolder), name), version, say)
    await moveIn(name, enginesFolder)
  }
  const libraries = join(folder, librariesFolder)
  await linkCudaLibraries(libraries, environment, homeFolder)
  const provider = join(bindingOf(folder), 'libonnxruntime_providers_cuda.so')
  const cuda = await cudaVersionOf(provider)
  const missing = await missingLibraries(provider, libraries, openedLater[cuda])
  for (const library of missing) {
    say(`missing: ${library}${library.startsWith('libcuda.so') ? ' (the NVIDIA driver brings it)' : ''}`)
  }
  if (missing.some((library) => !library.startsWith('libcuda.so'))) {
    say(`python3 -m pip install ${pipPackages[cuda]} brings the CUDA ${cuda} libraries; then install again`)
  }
  if (missing.length > 0) return say(`${engine} is installed, but cannot run until they are there`)
  const probe = await probeEngine(engine, enginesFolder, environment)
  say(probe.ok ? `${engine} works, on ${probe.device}` : `${engine} is installed, but does not work: ${probe.problem}`)
}

async function make(made: string, version: string, say: (line: string) => void): Promise<void> {
  await rm(made, { recursive: true, force: true })
  await mkdir(made, { recursive: true, mode: 0o700 })
  await cp(packages, made, { recursive: true })
  say(`installing ONNX Runtime ${version} for Node`)
  await npmCi(made)
  const package_ = join(made, 'node_modules', 'onnxruntime-node')
  for (const other of ['darwin', 'win32', join('linux', 'arm64')]) {
    await rm(join(package_, 'bin', 'napi-v6', other), { recursive: true, force: true })
  }
  say('downloading its CUDA provider with its own installer')
  if (!(await downloadedOfficially(package_, bindingOf(made), say))) await takenFromNpm(made, bindingOf(made), say)
  await writeFile(join(made, installations.cuda.mark), `${JSON.stringify({ version })}\n`)
}

const bindingOf = (folder: string): string =>
  join(folder, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64')

/** The ONNX Runtime that headlight installs. */
async function knownVersion(): Promise<string> {
  const { dependencies } = z
    .object({ dependencies: z.object({ 'onnxruntime-node': z.string() }) })
    .parse(JSON.parse(await readFile(join(packages, 'package.json'), 'utf8')))
  return dependencies['onnxruntime-node']
}

/** Undefined where nothing whole is installed. */
async function installedVersion(mark: string): Promise<string | undefined> {
  if (!existsSync(mark)) return undefined
  const { version } = z
    .object({ version: z.string().default('of a release before') })
    .parse(JSON.parse(await readFile(mark, 'utf8')))
  return version
}

/** The CUDA that the provider was built for: what its own list of libraries names. */
async function cudaVersionOf(provider: string): Promise<12 | 13> {
  const listed = await runProgram('sh', ['-c', 'ldd "$1"', 'sh', provider], { timeoutMs: 60_000 })
  return listed.includes('cudart.so.13') ? 13 : 12
}

async function downloadedOfficially(
  packageFolder: string,
  binding: string,
  say: (line: string) => void,
): Promise<boolean> {
  const script = join(packageFolder, 'script', 'install.js')
  try {
    const args = [script, '--onnxruntime-node-install=cuda12']
    await runProgram(process.execPath, args, { cwd: packageFolder, timeoutMs: officialTimeoutMs })
    if (Object.keys(providerFiles).every((file) => existsSync(join(binding, file)))) return true
    say('it left no provider')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    say(`it could not be reached (${reason.slice(0, 200)})`)
  }
  return false
}

async function takenFromNpm(folder: string, binding: string, say: (line: string) => void): Promise<void> {
  say('taking the provider from the npm package that carries it (180 MB)')
  const carrier = join(folder, 'provider')
  await npmCi(carrier)
  const from = join(carrier, 'node_modules', 'com.github.asus4.onnxruntime.linux-x64-gpu', 'Plugins', 'Linux', 'x64')
  for (const [file, digest] of Object.entries(providerFiles)) {
    const hash = createHash('sha256')
    await pipeline(createReadStream(join(from, file)), hash)
    if (hash.digest('hex') !== digest) {
      throw new InputError(
        'bad-engine',
        `${file} of the npm package is not the file that headlight knows: not installed`,
      )
    }
    await copyFile(join(from, file), join(binding, file))
  }
  await rm(join(carrier, 'node_modules'), { recursive: true, force: true })
}
