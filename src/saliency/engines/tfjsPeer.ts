import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { tfjsPackage, type TfjsAddon } from './tfjsAddon.ts'

/** The package of TensorFlow.js that somebody installed beside headlight. */
export interface TfjsPeer extends TfjsAddon {
  /** Package and version, for people. */
  readonly name: string
  /** The package's own installer fetches the addon: where that could not run, there is none. */
  readonly hasAddon: boolean
}

/** What the package says of its addon, in the words of node-pre-gyp, which its own entry asks for the path. */
const packageSchema = z.object({
  version: z.string(),
  binary: z.object({
    module_name: z.string(),
    module_path: z.string(),
    napi_versions: z.array(z.number()).min(1),
  }),
})

/**
 * As headlight's own files would import it: from a folder node_modules above them. Null where there is none that can be
 * read. `from` is the file that it is looked for from.
 */
export function findTfjsPeer(from = import.meta.url): TfjsPeer | null {
  let file: string
  let described: z.infer<typeof packageSchema>
  try {
    file = createRequire(from).resolve(`${tfjsPackage}/package.json`)
    described = packageSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
  const { version, binary } = described
  const known = binary.napi_versions.filter((napi) => napi <= Number(process.versions.napi))
  const folder = binary.module_path.replace('{napi_build_version}', String(Math.max(...known)))
  const packageFolder = dirname(file)
  const binding = join(packageFolder, folder, `${binary.module_name}.node`)
  return { name: `${tfjsPackage} ${version}`, packageFolder, binding, hasAddon: existsSync(binding) }
}
