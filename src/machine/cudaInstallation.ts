import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { copyFile, cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { InputError } from '../base/errors.ts'
import { installations } from '../saliency/engines/openEngine.ts'
import { librariesFolder, linkCudaLibraries, missingLibraries, openedLater } from './cudaLibraries.ts'
import {
  carriedProvider,
  readCudaMark,
  wantedCuda,
  wishOf,
  writeCudaMark,
  type CudaMark,
  type CudaSource,
  type WantedCuda,
} from './cudaVersions.ts'
import type { Cuda } from './cudnn.ts'
import { npmCi } from './npmCi.ts'
import { probeEngine, type Probe } from './probe.ts'
import { runProgram } from './runProgram.ts'
import { clearWorkshop, moveIn, workshopOf } from './workshop.ts'

export interface InstallCudaOptions {
  readonly enginesFolder: string
  readonly homeFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
  /** Tests give their own. */
  readonly wanted?: WantedCuda
  readonly probe?: (enginesFolder: string) => Promise<Probe>
}

/** What brings the libraries, through pip. */
export const pipPackages = {
  12: 'nvidia-cublas-cu12 nvidia-cuda-runtime-cu12 nvidia-curand-cu12 nvidia-cufft-cu12 nvidia-cudnn-cu12 nvidia-cuda-nvrtc-cu12',
  13: 'nvidia-cublas nvidia-cuda-runtime nvidia-curand nvidia-cufft nvidia-cudnn-cu13 nvidia-cuda-nvrtc',
} as const

const officialTimeoutMs = 5 * 60_000
const { folder: name, engine, mark: markFile } = installations.cuda

/**
 * Puts ONNX Runtime with its CUDA provider into a folder of its own: binding and provider are of one version, which need
 * not be that of headlight's own copy. The provider is what the package's own installer downloads (for CUDA 12), else,
 * where that cannot be reached, the files of an npm package (for CUDA 13), known by their SHA-256. What another headlight
 * installed is replaced where that gains something and loses nothing; then only the libraries are linked anew.
 */
export async function installCuda(options: InstallCudaOptions): Promise<void> {
  const { enginesFolder, say, wanted = wantedCuda() } = options
  const present = readCudaMark(join(enginesFolder, name))
  if (present?.wanted === wishOf(wanted)) {
    say(`${engine} is installed already, with ONNX Runtime ${present.version}: looking for the libraries that it needs`)
    if (present.source === 'carried') {
      say(
        `the provider of ONNX Runtime ${wanted.official.version} could not be had or used then: headlight engine remove cuda, and install again, tries it once more`,
      )
    }
  } else {
    await renew(present, wanted, options)
  }
  const { cuda, missing, probe } = await standing(enginesFolder, options)
  for (const library of missing) say(`missing: ${library}${isDriver(library) ? ' (the NVIDIA driver brings it)' : ''}`)
  if (!missing.every(isDriver)) {
    say(`python3 -m pip install ${pipPackages[cuda]} brings the CUDA ${cuda} libraries; then install again`)
  }
  if (probe === null) return say(`${engine} is installed, but cannot run until they are there`)
  say(probe.ok ? `${engine} works, on ${probe.device}` : `${engine} is installed, but does not work: ${probe.problem}`)
}

/** Makes one after another of what is wanted, best first, until one is no worse than what is there. */
async function renew(present: CudaMark | null, wanted: WantedCuda, options: InstallCudaOptions): Promise<void> {
  const { enginesFolder, say } = options
  const installed = join(enginesFolder, name)
  const workshop = workshopOf(enginesFolder)
  const isThere = existsSync(join(installed, markFile))
  if (isThere) {
    say(`${engine} is there, with ONNX Runtime ${present?.version ?? 'of an older version'}: looking for a better one`)
  }
  const silent = { ...options, say: () => undefined }
  // Where not even that can be told, it is no loss.
  const before = isThere ? await standing(enginesFolder, silent).catch(() => null) : null
  try {
    for (const source of ['official', 'carried'] as const) {
      const { version } = wanted[source]
      if (present !== null && gainsNothing(present, source, version)) {
        say(`ONNX Runtime ${present.version} stays`)
        return await writeCudaMark(installed, { ...present, wanted: wishOf(wanted) })
      }
      if (!(await make(join(workshop, name), source, wanted, say))) continue
      const after = before === null ? null : await standing(workshop, silent)
      if (before !== null && after !== null && after.level < before.level) {
        say(`ONNX Runtime ${version} is not put in its place, since it does less here: ${whatAils(after)}`)
        continue
      }
      return await moveIn(name, enginesFolder)
    }
  } finally {
    await clearWorkshop(name, enginesFolder)
  }
}

function gainsNothing(present: CudaMark, source: CudaSource, version: string): boolean {
  return source === 'official'
    ? present.source === source && present.version === version
    : !isOlder(present.version, version)
}

function isOlder(version: string, other: string): boolean {
  const numbers = other.split('.').map(Number)
  const different = version
    .split('.')
    .map((number, index) => Number(number) - (numbers[index] ?? 0))
    .find((difference) => difference !== 0)
  return (different ?? 0) < 0
}

interface Standing {
  readonly cuda: Cuda
  readonly missing: readonly string[]
  /** Null where it need not be tried, for want of libraries. */
  readonly probe: Probe | null
  /** 0: libraries are missing; 1: they are there; 2: it computes. */
  readonly level: 0 | 1 | 2
}

const isDriver = (library: string): boolean => library.startsWith('libcuda.so')

/** Links the libraries that are there now and sees how far it comes with them. */
async function standing(enginesFolder: string, options: InstallCudaOptions): Promise<Standing> {
  const { environment, homeFolder, say, probe: tryOut = (folder) => probeEngine(engine, folder, environment) } = options
  const installation = join(enginesFolder, name)
  const provider = join(bindingOf(installation), 'libonnxruntime_providers_cuda.so')
  const cuda = await cudaVersionOf(provider)
  await linkCudaLibraries(installation, { cuda, environment, homeFolder, say })
  const missing = await missingLibraries(provider, join(installation, librariesFolder), openedLater(cuda))
  const probe = missing.length > 0 ? null : await tryOut(enginesFolder)
  return { cuda, missing, probe, level: probe?.ok === true ? 2 : missing.every(isDriver) ? 1 : 0 }
}

function whatAils({ cuda, missing, probe }: Standing): string {
  if (missing.length > 0) return `of the CUDA ${cuda} libraries, ${missing.join(', ')} are missing`
  return probe?.ok === false ? probe.problem : 'nothing'
}

/** False where the official provider cannot be had. Raises InputError `bad-engine` where nothing can. */
async function make(
  made: string,
  source: CudaSource,
  wanted: WantedCuda,
  say: (line: string) => void,
): Promise<boolean> {
  const { version, folder } = wanted[source]
  await rm(made, { recursive: true, force: true })
  await mkdir(made, { recursive: true, mode: 0o700 })
  await cp(folder, made, { recursive: true })
  say(
    `installing ONNX Runtime ${version} for Node${source === 'official' ? '' : ', and the npm package that carries its CUDA provider (180 MB)'}`,
  )
  await npmCi(made)
  const package_ = join(made, 'node_modules', 'onnxruntime-node')
  for (const other of ['darwin', 'win32', join('linux', 'arm64')]) {
    await rm(join(package_, 'bin', 'napi-v6', other), { recursive: true, force: true })
  }
  if (source === 'carried') await takeCarried(made, wanted.carried.sha256)
  else if (!(await downloadOfficial(package_, bindingOf(made), say))) return false
  await writeCudaMark(made, { version, source, wanted: wishOf(wanted) })
  return true
}

const bindingOf = (folder: string): string =>
  join(folder, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64')

/** The CUDA that the provider was built for: what its own list of libraries names. */
async function cudaVersionOf(provider: string): Promise<Cuda> {
  const listed = await runProgram('sh', ['-c', 'ldd "$1"', 'sh', provider], { timeoutMs: 60_000 })
  return listed.includes('cudart.so.13') ? 13 : 12
}

async function downloadOfficial(packageFolder: string, binding: string, say: (line: string) => void): Promise<boolean> {
  say('downloading its CUDA provider with its own installer')
  const script = join(packageFolder, 'script', 'install.js')
  try {
    const args = [script, '--onnxruntime-node-install=cuda12']
    await runProgram(process.execPath, args, { cwd: packageFolder, timeoutMs: officialTimeoutMs })
    if (Object.keys(carriedProvider.sha256).every((file) => existsSync(join(binding, file)))) return true
    say('it left no provider')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    say(`it could not be reached (${reason.slice(0, 200)})`)
  }
  return false
}

async function takeCarried(made: string, sha256: WantedCuda['carried']['sha256']): Promise<void> {
  const carrier = join(made, 'node_modules', carriedProvider.package)
  const from = join(carrier, 'Plugins', 'Linux', 'x64')
  for (const [file, digest] of Object.entries(sha256)) {
    const hash = createHash('sha256')
    await pipeline(createReadStream(join(from, file)), hash)
    if (hash.digest('hex') !== digest) {
      throw new InputError(
        'bad-engine',
        `${file} of the npm package is not the file that headlight knows: not installed`,
      )
    }
    await copyFile(join(from, file), join(bindingOf(made), file))
  }
  // And what stood in for what it depends on.
  for (const path of [carrier, join(made, 'node_modules', carriedProvider.base)]) {
    await rm(path, { recursive: true, force: true })
  }
}
