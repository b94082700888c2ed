import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { printGraph, topological, type Graph } from '../../src/saliency/graph.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { parseObjectives } from '../../src/saliency/objective.ts'
import { buildProgram, type ProgramOptions } from '../../src/saliency/program.ts'
import { frozenText } from '../support/frozen.ts'
import { checkpointBytes } from '../support/golden.ts'

// The graphs that engines are handed, node by node. Moving and renaming source files must leave them as they are; so must
// whatever else is not meant to change what is computed or how.

interface Case extends Omit<ProgramOptions, 'objectives'> {
  readonly file: string
  readonly objectives: string
  readonly override?: unknown
}

const scopes = ['all', 'stem', 'none'] as const

const programs = [
  { objectives: 'sum', style: 'origin', gradients: false },
  { objectives: 'yaw', style: 'magnitude', gradients: false },
  { objectives: '-pitch', style: 'origin', gradients: true },
  { objectives: 'yaw:bin:3', style: 'magnitude', gradients: true },
  { objectives: 'roll:top', style: 'origin', gradients: false },
  // Several sweeps over one network: what is folded depends on who else reads a value.
  { objectives: 'each', style: 'magnitude', gradients: true },
] as const

const cases: Case[] = scopes.flatMap((scope) =>
  programs.map((program) => {
    const parts = [
      scope,
      program.objectives.replaceAll(':', '.'),
      program.style,
      ...(program.gradients ? ['gradients'] : []),
    ]
    return { ...program, scope, batch: 1, file: `${parts.join('_')}.txt` }
  }),
)

// What the tiny network by itself does not need: a batch, exchanged channels, another range, bins that count the other
// way, and sides that pooling does not divide, so that gradients are padded.
cases.push({
  file: 'another_description.txt',
  objectives: 'sum,-yaw',
  scope: 'all',
  style: 'origin',
  gradients: true,
  batch: 2,
  override: {
    input: { width: 72, height: 56, channels: 'bgr', range: 255, mean: [104, 117, 123], std: [1, 1, 1] },
    heads: [{ angle: 'pitch', sign: -1, step: 2, offset: -60 }],
  },
})

describe('the graph of the tiny network', () => {
  it.each(cases)('$file', ({ file, objectives, override, ...options }) => {
    const network = loadNetwork(checkpointBytes('tiny_hp.pkl'), 'tiny_hp.pkl', override)
    const graph = buildProgram(network, { ...options, objectives: parseObjectives(objectives) })
    const printed = printWithConstants(graph)
    expect(printed).toBe(frozenText(`graphs/${file}`, printed))
  })

  it('has no frozen file that is not compared', () => {
    expect(readdirSync(new URL('graphs', import.meta.url)).toSorted()).toEqual(cases.map(({ file }) => file).toSorted())
  })
})

/**
 * `printGraph` with what it leaves out: names of inputs, and constants by a digest of their bytes. The bytes are the same
 * on all machines: they are weights, or made of weights by sums, products, quotients and square roots, which IEEE 754
 * defines to the last bit. A constant made with Math.exp or the like would have to be rounded first.
 */
function printWithConstants(graph: Graph): string {
  const order = topological(graph.outputs.values())
  const lines = printGraph(graph).split('\n')
  expect(lines).toHaveLength(order.length + graph.outputs.size)
  return lines
    .map((line, index) => {
      const node = order[index]
      if (node?.op === 'constant') return `${line} ${printData(node.attributes.data)}`
      return node?.op === 'input' ? `${line} ${node.attributes.name}` : line
    })
    .join('\n')
}

/** The digest's first 64 bits, enough to see a change by; and before it the values where they are few, to be read. */
function printData(data: Float32Array): string {
  const digest = `sha256:${createHash('sha256').update(data).digest('hex').slice(0, 16)}`
  return data.length > 3 ? digest : `${data.join(', ')} ${digest}`
}
