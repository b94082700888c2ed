import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { z } from 'zod'
import { startHeadlight, type Ended } from './headlight.ts'
import { kubernetesFolder, manifestsIn } from './kubernetesManifests.ts'
import { freePort } from './redis.ts'

const deployment = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            args: z.array(z.string()),
            env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
            readinessProbe: z.object({ httpGet: z.object({ path: z.string() }) }),
          }),
        ]),
      }),
    }),
  }),
})

export interface ViewerPod {
  readonly ended: Promise<Ended>
  kill(signal: NodeJS.Signals): void
  /** What the proxy is answered for a path below the base path, as soon as it need not wait. Bytes are text in Latin-1. */
  answer(path: string): Promise<{ status: number; text: string }>
}

const proxyHost = 'heads.example.org'

/**
 * `headlight serve` with the arguments and settings of infra/kubernetes/viewer, but on a free port of this machine alone, and
 * without a home. Ready, as its probe says.
 */
export async function startViewerPod(
  output: string,
  environment: Readonly<Record<string, string>>,
): Promise<ViewerPod> {
  const manifests = manifestsIn(readFileSync(`${kubernetesFolder}viewer/viewer.yaml`, 'utf8'))
  const found = deployment.parse(manifests.find(({ kind }) => kind === 'Deployment'))
  const [{ args, env, readinessProbe }] = found.spec.template.spec.containers
  const given = Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
  const port = await freePort()
  const { said, ended, kill } = startHeadlight(
    args.map((arg) => arg.replace('$(OUTPUT)', output)),
    {
      ...given,
      HOME: '/nonexistent',
      HEADLIGHT_ALLOW_HOST: proxyHost,
      HEADLIGHT_HOST: '127.0.0.1',
      HEADLIGHT_PORT: String(port),
      ...environment,
    },
  )
  await said('http://')
  const { status } = await ask(port, readinessProbe.httpGet.path, '10.0.0.7:8470')
  if (status !== 200) throw new Error(`the probe of the viewer was answered ${status}`)
  return {
    ended,
    kill,
    answer: async (path) => {
      for (;;) {
        const answer = await ask(port, `${given['HEADLIGHT_BASE_PATH'] ?? ''}${path}`, proxyHost)
        if (answer.status !== 202) return answer
      }
    },
  }
}

/** Not by `fetch`, which lets nobody choose the Host header. */
async function ask(port: number, path: string, host: string): Promise<{ status: number; text: string }> {
  const sent = request({ host: '127.0.0.1', port, path, headers: { host } }).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer.setEncoding('latin1')) text += String(chunk)
  return { status: answer.statusCode ?? 0, text }
}
