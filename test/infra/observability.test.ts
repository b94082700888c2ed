import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { ProducerMetrics } from '../../src/cli/health/producerMetrics.ts'
import { WorkerMetrics } from '../../src/cli/health/workerMetrics.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { shardsQueue } from '../../src/queue/jobs.ts'
import { silent, startTestRedis } from '../support/redis.ts'

const folder = fileURLToPath(new URL('../../infra/grafana/', import.meta.url))
const dashboard = z
  .object({
    panels: z.array(
      z.object({
        title: z.string(),
        gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
        targets: z.array(z.object({ expr: z.string() })),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(`${folder}dashboard.json`, 'utf8')))
const { groups } = z
  .object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })) })
  .parse(parse(readFileSync(`${folder}alerts.yaml`, 'utf8')))
const alerts = groups.flatMap(({ rules }) => rules)

const expressions: [where: string, expr: string][] = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
  ...alerts.map(({ alert, expr }): [string, string] => [alert, expr]),
]

/** By the name of a metric, its labels. */
const exported = new Map<string, Set<string>>()
const states = new Set<string>()

/** From docs/metrics.md, since the text of a metric without events does not tell them. */
function documentedLabels(): Map<string, string[]> {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const rows = page.matchAll(/^\| `(\w+)` *\| *\w+ *\| *([^|]*?) *\|/gm)
  return new Map(Array.from(rows, ([, name = '', labels = '']) => [name, labels.match(/\w+/g) ?? []]))
}

beforeAll(async () => {
  const labels = documentedLabels()
  for (const metrics of [new WorkerMetrics('1'), new ProducerMetrics('1')]) {
    for (const [, name = '', kind] of (await metrics.all.text()).matchAll(/^# TYPE (headlight_\w+) (\w+)$/gm)) {
      for (const suffix of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
        exported.set(name + suffix, new Set([...(labels.get(name) ?? []), 'le']))
    }
  }
  // The producer passes on what BullMQ says of the queues.
  const redis = await startTestRedis()
  const queue = openQueue(redis.connection, shardsQueue, silent)
  for (const [, name = '', labels = ''] of (await queue.exportPrometheusMetrics()).matchAll(/^(\w+)\{(.*)\} /gm)) {
    exported.set(name, new Set([...labels.matchAll(/(\w+)=/g)].map(([, label = '']) => label)))
    const [, state] = /state="([^"]*)"/.exec(labels) ?? []
    if (state !== undefined) states.add(state)
  }
  await queue.close()
  await redis.stop()
})

test('every panel and alert asks for metrics and labels that the code exports', () => {
  expect(expressions.length).toBeGreaterThan(30)
  // What Prometheus adds to every series it scrapes.
  const scraped = ['instance', 'job']
  const unknown: string[] = []
  for (const [where, expr] of expressions) {
    const names = expr.match(/\b(?:headlight|bullmq)_\w+/g) ?? []
    if (names.length === 0) unknown.push(`${where}: no metric`)
    const known = new Set([...scraped, ...names.flatMap((name) => [...(exported.get(name) ?? [])])])
    for (const name of names) if (!exported.has(name)) unknown.push(`${where}: ${name}`)
    const asked = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/,\s*/))
    for (const [, label = ''] of expr.matchAll(/[{,]\s*(\w+)=/g)) asked.push(label)
    for (const label of asked) if (!known.has(label)) unknown.push(`${where}: label ${label}`)
    for (const [, list = ''] of expr.matchAll(/state=~"([^"]*)"/g))
      for (const state of list.split('|')) if (!states.has(state)) unknown.push(`${where}: state ${state}`)
  }
  expect(unknown).toEqual([])
})

test('panels do not overlap and fit the page', () => {
  const taken = new Set<string>()
  for (const { title, gridPos } of dashboard.panels) {
    expect({ title, isInside: gridPos.x + gridPos.w <= 24 }).toEqual({ title, isInside: true })
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x},${y}`)).toBe(false)
        taken.add(`${x},${y}`)
      }
  }
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
test.skipIf(!hasPromtool)('alerts fire when they should and only then (skipped without promtool)', () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yaml'], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect({ status, stdout, stderr }).toMatchObject({ status: 0 })
})
