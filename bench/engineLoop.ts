import { readdirSync, readFileSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { z } from 'zod'
import { writeOnnx } from '../src/saliency/engines/onnxGraph.ts'
import { onnxProviders } from '../src/saliency/engines/onnxProviders.ts'
import { createExplainer } from '../src/saliency/explainer.ts'
import { topological, type Graph, type Node } from '../src/saliency/graph.ts'
import { loadNetwork } from '../src/saliency/networks/load.ts'
import { inputAt, make } from '../src/saliency/ops.ts'
import { buildProgram } from '../src/saliency/program.ts'

/** A process that owns one session and, asked, says how many ms one image takes it. Several run side by side. */
const requestSchema = z.object({
  kind: z.enum(['explain', 'convolutions', 'matmul']),
  path: z.string(),
  batch: z.int(),
  threads: z.int(),
})
export type LoopRequest = z.infer<typeof requestSchema>

const request = requestSchema.parse(JSON.parse(process.argv[2] ?? ''))
const minimumMs = 1500

const measure = await { explain, convolutions, matmul }[request.kind]()
process.on('message', () => void measure().then((figure) => process.send?.(figure)))
process.on('disconnect', () => process.exit())

async function explain(): Promise<() => Promise<number>> {
  const network = loadNetwork(readFileSync(request.path), basename(request.path))
  const explainer = await createExplainer({
    network,
    objectives: ['sum'],
    scope: 'all',
    style: 'origin',
    gradients: false,
    batch: request.batch,
    engine: 'onnxruntime:cpu',
    intraOpThreads: request.threads,
  })
  const image = Uint8Array.from({ length: explainer.imageBytes }, (_, i) => (i * 7919) % 251)
  const images = Array.from({ length: request.batch }, () => image)
  return async () => (await repeated(() => explainer.explain(images))) / request.batch
}

/**
 * All convolutions of the program side by side in one graph, each fed from outside. ONNX Runtime's own profile gives the
 * time inside the convolution kernels, so that changes of layout at the edges do not count.
 */
async function convolutions(): Promise<() => Promise<number>> {
  const network = loadNetwork(readFileSync(request.path), basename(request.path))
  const program = buildProgram(network, {
    objectives: ['sum'],
    scope: 'all',
    style: 'origin',
    gradients: false,
    batch: 1,
  })
  const feeds: Record<string, Tensor> = {}
  const outputs = new Map<string, Node>()
  for (const node of topological(program.outputs.values())) {
    if (node.op !== 'conv' && node.op !== 'convInputGradient') continue
    const { shape } = inputAt(node, 0)
    const name = `x${outputs.size}`
    feeds[name] = new Tensor(
      'float32',
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i % 13) - 6),
      shape,
    )
    const fed = [make('input', [], { name, shape, dtype: 'float32' }), ...node.inputs.slice(1)]
    const alone =
      node.op === 'conv' ? make('conv', fed, node.attributes) : make('convInputGradient', fed, node.attributes)
    // Reduced to one number, so that nothing large has to be handed back.
    outputs.set(`y${outputs.size}`, make('reduceMax', [alone], { axes: [1, 2, 3] }))
  }
  const graph: Graph = { outputs }
  const model = writeOnnx(graph, onnxProviders.cpu.forms)
  const prefix = `headlight-bench-${process.pid}-`
  return async () => {
    const session = await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: 1,
      enableMemPattern: false,
      enableProfiling: true,
      profileFilePrefix: join(tmpdir(), prefix),
    })
    for (let i = 0; i < 12; i++) await session.run(feeds)
    // Releasing the session writes the profile; its name ends in a time.
    await session.release()
    const written = readdirSync(tmpdir()).find((name) => name.startsWith(prefix))
    if (written === undefined) throw new Error('ONNX Runtime wrote no profile')
    return kernelMs(join(tmpdir(), written))
  }
}

const eventSchema = z.array(
  z.object({ name: z.string(), cat: z.string(), dur: z.number(), args: z.object({ op_name: z.string().optional() }) }),
)

function kernelMs(profile: string): number {
  const events = eventSchema.parse(JSON.parse(readFileSync(profile, 'utf8')))
  unlinkSync(profile)
  const runs = events.filter((event) => event.name === 'model_run').length
  const inside = events.filter((event) => event.cat === 'Node' && event.args.op_name?.startsWith('Conv') === true)
  return inside.reduce((total, event) => total + event.dur, 0) / 1000 / runs
}

async function matmul(): Promise<() => Promise<number>> {
  const side = 2048
  const a = make('input', [], { name: 'a', shape: [side, side], dtype: 'float32' })
  const b = make('input', [], { name: 'b', shape: [side, side], dtype: 'float32' })
  const graph: Graph = { outputs: new Map([['c', make('matmul', [a, b], { transposeB: false })]]) }
  const session = await InferenceSession.create(writeOnnx(graph, onnxProviders.cpu.forms), { intraOpNumThreads: 1 })
  const tensor = new Tensor('float32', new Float32Array(side * side).fill(0.5), [side, side])
  return () => repeated(() => session.run({ a: tensor, b: tensor }))
}

/** Mean ms of a call over at least `minimumMs`, after one call that does not count. */
async function repeated(call: () => Promise<unknown>): Promise<number> {
  await call()
  const start = performance.now()
  let calls = 0
  do {
    await call()
    calls++
  } while (performance.now() - start < minimumMs)
  return (performance.now() - start) / calls
}
