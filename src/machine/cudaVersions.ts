import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { installations, type EngineName } from '../saliency/engines/openEngine.ts'

/** An ONNX Runtime with a CUDA provider of the same version, and the folder of the packages that it is made of. */
interface CudaVersion {
  readonly version: string
  readonly folder: string
}

/** What `engine install cuda` puts there. */
export interface WantedCuda {
  /** First choice: headlight's own version, whose provider the package's own installer downloads. */
  readonly official: CudaVersion
  /** Else the newest version whose provider an npm package carries. */
  readonly carried: CudaVersion & { readonly sha256: Readonly<Record<string, string>> }
}

export type CudaSource = keyof WantedCuda

/** The npm package is somebody else's than ONNX Runtime: exactly these files are taken, or none. */
export const carriedProvider = {
  package: 'com.github.asus4.onnxruntime.linux-x64-gpu',
  /** What it depends on, and nothing here needs. */
  base: 'com.github.asus4.onnxruntime',
  version: '0.4.9',
  onnxRuntime: '1.29.0',
  sha256: {
    'libonnxruntime_providers_shared.so': 'c6a12593396095f5670160e284c35d1700b7708cf3037b7042e2a5200ccae772',
    'libonnxruntime_providers_cuda.so': '56cf3254b118ad837ccc4ed8f6d1b23504bbf7ef91b34cbc0b289cb7f10b3037',
  },
} as const

const packages = fileURLToPath(new URL('../../config/engines/cuda/', import.meta.url))

export function wantedCuda(): WantedCuda {
  const folder = (source: CudaSource) => join(packages, source)
  return {
    official: { folder: folder('official'), version: dependenciesOf(folder('official'))['onnxruntime-node'] },
    carried: { folder: folder('carried'), version: carriedProvider.onnxRuntime, sha256: carriedProvider.sha256 },
  }
}

function dependenciesOf(folder: string): { 'onnxruntime-node': string } {
  const schema = z.object({ dependencies: z.object({ 'onnxruntime-node': z.string() }) })
  return schema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).dependencies
}

const markSchema = z.object({
  version: z.string(),
  source: z.enum(['official', 'carried']),
  /** What the headlight that last had a say in it wanted. */
  wanted: z.string(),
})

export type CudaMark = z.infer<typeof markSchema>

/** What a headlight wants, to be compared with what another one wanted. */
export const wishOf = ({ official, carried }: WantedCuda): string =>
  `${official.version} official, else ${carried.version} carried`

/** Null where nothing whole is installed, or by a headlight that wrote no such mark. */
export function readCudaMark(installation: string): CudaMark | null {
  const path = join(installation, installations.cuda.mark)
  if (!existsSync(path)) return null
  try {
    return markSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return null
  }
}

export async function writeCudaMark(installation: string, mark: CudaMark): Promise<void> {
  await writeFile(join(installation, installations.cuda.mark), `${JSON.stringify(mark)}\n`)
}

/**
 * What to know of an engine whose installation is another headlight's: it computes, since its parts belong together, but
 * nothing renews it by itself, lest a run at night download hundreds of megabytes. Null where there is nothing to say.
 */
export function noteOnInstallation(engine: EngineName, enginesFolder: string): string | null {
  const { folder, mark: markFile, engine: ofCuda } = installations.cuda
  const installation = join(enginesFolder, folder)
  if (engine !== ofCuda || !existsSync(join(installation, markFile))) return null
  const mark = readCudaMark(installation)
  if (mark?.wanted === wishOf(wantedCuda())) return null
  const version = mark === null ? 'an older ONNX Runtime' : `ONNX Runtime ${mark.version}`
  return `it is of ${version}, which another version of headlight installed: headlight engine install cuda renews it`
}
