import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema } from 'onnx-buf'
import { mutate } from '../../../../image/mutated/mutate.ts'
import { Random } from '../../../../kill/random.ts'
import { tinyOnnx } from '../../../../support/tinyOnnx.ts'
import { declarationMutations } from './mutateDeclarations.ts'
import { nodeMutations } from './mutateNodes.ts'
import { sizeMutations } from './mutateSizes.ts'
import { tensorMutations } from './mutateTensors.ts'
import { oneOf, tensorNames } from './telling.ts'

export interface Mutant {
  /** For people: the file that it was made of, and which of them it is. */
  readonly name: string
  readonly bytes: Uint8Array
  /** The second file, where there is one. */
  readonly data: Uint8Array | undefined
  /** A tensor that a head is to name. */
  readonly tensor: string
  /** Whether it is run, too. */
  readonly isRun: boolean
}

interface Whole {
  readonly name: string
  readonly bytes: Buffer
  readonly data: Buffer | undefined
}

/** Small networks of every exporter. */
export function wholeFiles(): readonly Whole[] {
  const tiny = [{}, { externalData: 'tiny.onnx.data' }].map((options, index) => {
    const { bytes, data } = tinyOnnx(options)
    return {
      name: `tiny${index}.onnx`,
      bytes: Buffer.from(bytes),
      data: data.length > 0 ? Buffer.from(data) : undefined,
    }
  })
  return [...tiny, ...filesIn(new URL('../../../../golden/onnx/', import.meta.url))]
}

/** Large ones from elsewhere, where they are there: their weights are made of shapes on reading. */
export function lightFiles(): readonly Whole[] {
  return filesIn(new URL('../../../../../../shared/real/networks/', import.meta.url))
}

function filesIn(folder: URL): Whole[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith('.onnx'))
  return names.toSorted().map((name) => {
    const data = new URL(`${name}.data`, folder)
    return {
      name,
      bytes: readFileSync(new URL(name, folder)),
      data: existsSync(data) ? readFileSync(data) : undefined,
    }
  })
}

/** How many of a hundred are made of a large file. */
const lightShare = 0.03

/** The `index`th mutant of a seed; the same numbers give the same bytes. */
export function mutantOf(wholes: readonly Whole[], lights: readonly Whole[], index: number, seed: number): Mutant {
  const random = new Random(seed * 1_000_003 + index)
  const isLight = random.unit() < lightShare
  const among = isLight && lights.length > 0 ? lights : wholes
  const whole = oneOf(among, random)
  if (whole === undefined) throw new Error('there is no whole ONNX file')
  const name = `${whole.name} #${index}`
  const isRun = random.unit() < 0.1
  const chance = random.unit()
  const byteSeed = seed + 7919 * index
  const mixed = (kind: 'bytes' | 'data'): Buffer[] => among.flatMap((other) => other[kind] ?? [])
  if (chance < 0.15) {
    return { name, bytes: mutate(whole.bytes, byteSeed, mixed('bytes')), data: whole.data, tensor: 'yaw', isRun }
  }
  if (chance < 0.2 && whole.data !== undefined) {
    return { name, bytes: whole.bytes, data: mutate(whole.data, byteSeed, mixed('data')), tensor: 'yaw', isRun }
  }
  return { name, data: whole.data, isRun, ...structured(whole.bytes, random) }
}

/** What is done to the graph, which is written anew. */
function structured(whole: Buffer, random: Random): { readonly bytes: Uint8Array; readonly tensor: string } {
  const model = fromBinary(ModelProtoSchema, Buffer.from(whole))
  for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) {
    const chance = random.unit()
    const mutations = chance < 0.5 ? tensorMutations : chance < 0.6 ? sizeMutations : nodeMutations
    if (model.graph === undefined || chance < 0.25) random.pick(declarationMutations)(model, random)
    else random.pick(mutations)(model.graph, random)
  }
  const names = model.graph === undefined ? [] : tensorNames(model.graph)
  return { bytes: toBinary(ModelProtoSchema, model), tensor: oneOf(names, random) || 'yaw' }
}
