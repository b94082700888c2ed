import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'

export const kubernetesFolder = fileURLToPath(new URL('../../infra/kubernetes/', import.meta.url))
export const overlays = ['cpu', 'gpu'] as const

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
})
export type Manifest = z.infer<typeof manifest>

/** `kubectl` or `kustomize`, whichever is on the PATH; null where there is none. */
export const kustomize: readonly [string, ...string[]] | null = has('kustomize', 'version')
  ? ['kustomize', 'build']
  : has('kubectl', 'version', '--client')
    ? ['kubectl', 'kustomize']
    : null

function has(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** What an overlay, or what is applied by itself, comes to. */
export function rendered(name: (typeof overlays)[number] | 'viewer'): Manifest[] {
  if (kustomize === null) throw new Error('neither kustomize nor kubectl is on the PATH')
  const [program, ...args] = kustomize
  const folder = name === 'viewer' ? name : `overlays/${name}`
  const text = execFileSync(program, [...args, `${kubernetesFolder}${folder}`], { encoding: 'utf8' })
  return manifestsIn(text)
}

export function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text, { merge: true }).map((document) => manifest.parse(document.toJS()))
}
