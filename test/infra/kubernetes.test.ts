import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1'
import { PrometheusRule, ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import { Deployment } from 'kubernetes-models/apps/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { ConfigMap, Service, ServiceAccount } from 'kubernetes-models/v1'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { environmentName } from '../../src/cli/settings/optionFacts.ts'
import { settingNames } from '../../src/cli/settings/optionSchema.ts'
import {
  kubernetesFolder,
  kustomize,
  manifestsIn,
  overlays,
  rendered,
  type Manifest,
} from '../support/kubernetesManifests.ts'

// The models come from the API's own OpenAPI documents. Their validators know formats and what is required, but let
// unknown fields pass; the compiler knows every field. Together they are as strict as an API server.
const modules = {
  'apps/v1 Deployment': [Deployment, 'kubernetes-models/apps/v1'],
  'keda.sh/v1alpha1 ScaledObject': [ScaledObject, '@kubernetes-models/keda/keda.sh/v1alpha1'],
  'keda.sh/v1alpha1 TriggerAuthentication': [TriggerAuthentication, '@kubernetes-models/keda/keda.sh/v1alpha1'],
  'monitoring.coreos.com/v1 ServiceMonitor': [
    ServiceMonitor,
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  ],
  'monitoring.coreos.com/v1 PrometheusRule': [
    PrometheusRule,
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  ],
  'networking.k8s.io/v1 NetworkPolicy': [NetworkPolicy, 'kubernetes-models/networking.k8s.io/v1'],
  'policy/v1 PodDisruptionBudget': [PodDisruptionBudget, 'kubernetes-models/policy/v1'],
  'v1 ConfigMap': [ConfigMap, 'kubernetes-models/v1'],
  'v1 Service': [Service, 'kubernetes-models/v1'],
  'v1 ServiceAccount': [ServiceAccount, 'kubernetes-models/v1'],
} as const

const modelOf = ({ apiVersion, kind }: Manifest) => {
  const found = Object.entries(modules).find(([name]) => name === `${apiVersion} ${kind}`)
  if (!found) throw new Error(`add the model of ${apiVersion} ${kind} to this test`)
  return { Model: found[1][0] as new (data: object) => { validate(): void }, module: found[1][1] }
}

/** Complaints of the compiler about the manifests, taken for object literals of their types. */
function unknownFields(manifests: readonly Manifest[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'headlight-manifests-'))
  try {
    symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'))
    const lines = manifests.map((manifest, i) => {
      const type = `import('${modelOf(manifest).module}').I${manifest.kind}`
      return `export const m${i}: ${type} = ${JSON.stringify(manifest)}\n`
    })
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
    writeFileSync(join(folder, 'manifests.ts'), lines.join(''))
    const options = '--noEmit --strict --skipLibCheck --module nodenext --target es2022 --pretty false'
    const tsc = join(folder, 'node_modules/.bin/tsc')
    execFileSync(tsc, [...options.split(' '), 'manifests.ts'], { cwd: folder, stdio: 'pipe' })
    return []
  } catch (error) {
    return String((error as { stdout?: Buffer }).stdout ?? error).split('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const alerts = fileURLToPath(new URL('../../infra/grafana/alerts.yaml', import.meta.url))

const environment = z.array(
  z.union([
    z.strictObject({ name: z.string(), value: z.string() }),
    z.strictObject({ name: z.string(), valueFrom: z.strictObject({ secretKeyRef: z.object({ name: z.string() }) }) }),
    z.strictObject({
      name: z.string(),
      valueFrom: z.strictObject({ configMapKeyRef: z.looseObject({ name: z.string() }) }),
    }),
  ]),
)
const deployment = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.int().optional(),
    template: z.object({
      spec: z.object({
        terminationGracePeriodSeconds: z.int(),
        automountServiceAccountToken: z.literal(false),
        enableServiceLinks: z.literal(false),
        securityContext: z.object({
          runAsNonRoot: z.literal(true),
          runAsUser: z.int().min(10_000),
          seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
        }),
        containers: z.tuple([
          z.looseObject({
            image: z.string(),
            args: z.array(z.string()),
            env: environment,
            resources: z.object({
              requests: z.record(z.string(), z.string()),
              limits: z.object({ memory: z.string() }),
            }),
            startupProbe: z.looseObject({ periodSeconds: z.number(), failureThreshold: z.number() }),
            securityContext: z.object({
              allowPrivilegeEscalation: z.literal(false),
              readOnlyRootFilesystem: z.literal(true),
              capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
            }),
          }),
        ]),
      }),
    }),
  }),
})

const podLabels = z.object({
  spec: z.object({ template: z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) }) }),
})
const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) })
const probes = z.object({
  ports: z.array(z.unknown()),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
})
const networkPolicy = z.object({
  spec: z.object({
    podSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    ingress: z.array(z.object({ from: z.array(z.unknown()) })),
    egress: z.array(z.object({ ports: z.array(z.object({ port: z.int() })) })),
  }),
})

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')))

/** A worker needs this much longer than its grace to hand back and close (worker/supervisor/supervisor.ts). */
const closingSeconds = 20

describe.skipIf(kustomize === null)('rendered by kustomize (skipped without kustomize and kubectl)', () => {
  describe.each(overlays)('overlay %s', (overlay) => {
    const manifests = kustomize === null ? [] : rendered(overlay)
    const deployments = manifests.filter(({ kind }) => kind === 'Deployment').map((found) => deployment.parse(found))

    test('holds what it should', () => {
      expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted()).toEqual([
        'Deployment headlight-producer',
        'Deployment headlight-worker',
        'NetworkPolicy headlight',
        'PodDisruptionBudget headlight-producer',
        'PodDisruptionBudget headlight-worker',
        'ScaledObject headlight-worker',
        'Service headlight-metrics',
        'ServiceAccount headlight-producer',
        'ServiceAccount headlight-worker',
        'ServiceMonitor headlight',
        'TriggerAuthentication headlight-redis',
      ])
      expect(new Set(manifests.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['headlight']))
    })

    test.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
      '%s is valid',
      (_name, manifest) => {
        const { Model } = modelOf(manifest)
        expect(() => new Model(manifest).validate()).not.toThrow()
      },
    )

    test('no field is unknown', () => {
      expect(unknownFields(manifests)).toEqual([])
    })

    test('settings have names that headlight knows', () => {
      const known = new Set([...settingNames, 'webhookSecret'].map(environmentName))
      const given = deployments.flatMap(({ spec }) => spec.template.spec.containers[0].env.map(({ name }) => name))
      expect(given.filter((name) => name.startsWith('HEADLIGHT_') && !known.has(name))).toEqual([])
    })

    test('both sides take what the queue may name from the map that docs/deploy.md makes', () => {
      const page = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8')
      expect(page).toContain('create configmap headlight-allow --from-literal=prefixes=')
      for (const { spec } of deployments) {
        expect(spec.template.spec.containers[0].env).toContainEqual({
          name: 'HEADLIGHT_ALLOW',
          valueFrom: { configMapKeyRef: { name: 'headlight-allow', key: 'prefixes', optional: true } },
        })
      }
    })

    test('a worker has the time for its grace, and for closing after it', () => {
      const worker = deployments.find(({ metadata }) => metadata.name === 'headlight-worker')?.spec.template.spec
      const grace = worker?.containers[0].env.find(({ name }) => name === 'HEADLIGHT_GRACE_SECONDS')
      const seconds = Number(grace && 'value' in grace ? grace.value : NaN)
      expect(worker?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(seconds + closingSeconds)
      // What a spot node gets.
      expect(worker?.terminationGracePeriodSeconds).toBeLessThan(120)
    })

    test('images are named by the overlay, all of this version', () => {
      const images = deployments.map(({ spec }) => spec.template.spec.containers[0].image)
      const worker = overlay === 'gpu' ? 'headlight-cuda' : 'headlight'
      expect(images).toEqual(['headlight', worker].map((name) => `registry.example/${name}:${version}`))
    })

    test("the number of workers is KEDA's alone", () => {
      const replicas = deployments.map(({ metadata, spec }) => [metadata.name, spec.replicas])
      expect(Object.fromEntries(replicas)).toEqual({ 'headlight-producer': 1, 'headlight-worker': undefined })
    })
  })

  describe('the viewer', () => {
    const manifests = kustomize === null ? [] : rendered('viewer')
    const pod = () => {
      const found = manifests.find(({ kind }) => kind === 'Deployment')
      return {
        ...deployment.parse(found).spec.template.spec,
        labels: podLabels.parse(found).spec.template.metadata.labels,
      }
    }

    test('comes by itself, with nothing of producer, workers and queue', () => {
      expect(
        manifests.map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/-[a-z\d]{10}$/, '')}`).toSorted(),
      ).toEqual([
        'ConfigMap headlight-viewer',
        'Deployment headlight-viewer',
        'NetworkPolicy headlight-viewer',
        'Service headlight-viewer',
        'ServiceAccount headlight-viewer',
      ])
      expect(new Set(manifests.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['headlight']))
      expect(pod().containers[0].image).toBe(`registry.example/headlight:${version}`)
    })

    test.each(manifests.map((manifest) => [manifest.kind, manifest] as const))('its %s is valid', (_kind, manifest) => {
      const { Model } = modelOf(manifest)
      expect(() => new Model(manifest).validate()).not.toThrow()
    })

    test('no field is unknown, and no setting', () => {
      expect(unknownFields(manifests)).toEqual([])
      const known = new Set(settingNames.map(environmentName))
      const given = pod().containers[0].env.map(({ name }) => name)
      expect(given.filter((name) => name.startsWith('HEADLIGHT_') && !known.has(name))).toEqual([])
    })

    test('its probes ask below the base path, at the port that is served', () => {
      const [container] = pod().containers
      const value = (wanted: string) =>
        container.env.flatMap((one) => (one.name === wanted && 'value' in one ? [one.value] : []))[0]
      const { ports, ...all } = probes.parse(container)
      for (const probe of Object.values(all)) {
        expect(probe.httpGet).toEqual({ path: `${value('HEADLIGHT_BASE_PATH')}/healthz`, port: 'http' })
      }
      expect(ports).toEqual([{ name: 'http', containerPort: Number(value('HEADLIGHT_PORT')) }])
    })

    test('only the proxy reaches it, and it reaches no Redis', () => {
      const policies = [...manifests, ...rendered('cpu')].filter(({ kind }) => kind === 'NetworkPolicy')
      const itsOwn = policies
        .map((found) => networkPolicy.parse(found).spec)
        .filter(({ podSelector }) =>
          Object.entries(podSelector.matchLabels).every(([name, value]) => pod().labels[name] === value),
        )
      expect(itsOwn).toHaveLength(1)
      const [{ ingress, egress } = { ingress: [], egress: [] }] = itsOwn
      expect(ingress.map(({ from }) => from)).toEqual([
        [{ namespaceSelector: { matchLabels: expect.anything() }, podSelector: { matchLabels: expect.anything() } }],
      ])
      expect(egress.flatMap(({ ports }) => ports.map(({ port }) => port)).toSorted((a, b) => a - b)).toEqual([
        53, 53, 80, 443,
      ])
    })
  })

  test('a misspelt field would be found', () => {
    const [manifest] = rendered('cpu').filter(({ kind }) => kind === 'PodDisruptionBudget')
    if (!manifest) throw new Error('no PodDisruptionBudget')
    const complaints = unknownFields([{ ...manifest, spec: { maxUnavailabel: 1 } }])
    expect(complaints.join('\n')).toContain('maxUnavailabel')
  })
})

test('the alert rules are valid below the head that docs/deploy.md puts before them', () => {
  const page = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8')
  const [, head = ''] = /<<END\n(apiVersion: monitoring.*?)END\n/s.exec(page) ?? []
  const [rule, ...others] = manifestsIn(head + readFileSync(alerts, 'utf8').replaceAll(/^/gm, '  '))
  if (!rule) throw new Error('docs/deploy.md has no PrometheusRule')
  expect(others).toEqual([])
  const { Model } = modelOf(rule)
  expect(() => new Model(rule).validate()).not.toThrow()
  expect(unknownFields([rule])).toEqual([])
})

test('no manifest holds a secret, only names of secrets', () => {
  const files = readdirSync(kubernetesFolder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.yaml'),
  )
  expect(files.length).toBeGreaterThan(6)
  for (const file of files) {
    const text = readFileSync(join(kubernetesFolder, file), 'utf8')
    expect({ file, urls: text.match(/\w+:\/\/[^\s/]*@\S*/g) }).toEqual({ file, urls: null })
    expect({ file, secret: /^kind: Secret$/m.test(text) }).toEqual({ file, secret: false })
  }
})
