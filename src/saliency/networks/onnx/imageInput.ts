import type { GraphProto, ValueInfoProto } from 'onnx-buf'
import { InputError } from '../../../base/errors.ts'
import { shownText } from '../../../base/shownText.ts'
import { sideLimits } from '../description.ts'
import { typeName } from './tensorData.ts'

/** The input of an ONNX graph that takes the image. */
export interface ImageInput {
  readonly name: string
  /** How many images the file was exported for; undefined where any number goes. */
  readonly batch: number | undefined
  readonly layout: 'nchw' | 'nhwc'
  /** Undefined where the file leaves them open. */
  readonly channels: 1 | 3 | undefined
  readonly height: number | undefined
  readonly width: number | undefined
  /** Whether it takes pixels as whole numbers from 0 to 255. */
  readonly isBytes: boolean
}

/** A tensor of the graph as the file declares it. */
export interface DeclaredTensor {
  readonly name: string
  /** `float`, `int64`. */
  readonly type: string
  /** Undefined for sequences and the like, and where the file does not say. A side that it leaves open is its name, or `?`. */
  readonly shape: readonly (number | string)[] | undefined
}

/** The inputs that nothing in the file fills. Files of the first versions list initialisers among them. */
export function freeInputs({ input, initializer }: GraphProto): ValueInfoProto[] {
  const filled = new Set(initializer.map(({ name }) => name))
  return input.filter(({ name }) => !filled.has(name))
}

export function declared({ name, type }: ValueInfoProto): DeclaredTensor {
  const value = type?.value
  if (value?.case !== 'tensorType') return { name, type: value?.case ?? 'unknown', shape: undefined }
  const shape = value.value.shape?.dim.map(({ value: dim }) => {
    if (dim.case === 'dimParam') return dim.value || '?'
    // Some writers put 0 or −1 where a side is open.
    return dim.case === 'dimValue' && dim.value > 0n ? Number(dim.value) : '?'
  })
  return { name, type: typeName(value.value.elemType), shape }
}

/** `input float 1×3×224×224`. */
export function declaredText({ name, type, shape }: DeclaredTensor): string {
  const parts = [name, ...(type === 'unknown' ? [] : [type]), ...(shape === undefined ? [] : [shape.join('×')])]
  return shownText(parts.join(' '))
}

/**
 * The one input that takes an image: four axes, of which the second or the last is its channels. InputError
 * `unsupported-network` where there is none, more than one, or one of a size that no description could have.
 */
export function imageInputOf(graph: GraphProto, file: string): ImageInput {
  const inputs = freeInputs(graph).map(declared)
  const images = inputs.filter(({ shape, type }) => isNumeric(type) && (shape === undefined || shape.length === 4))
  const [image, ...others] = images
  const listed = shownText(inputs.map(declaredText).join(', '))
  if (image === undefined) {
    throw new InputError(
      'unsupported-network',
      `${file} takes no image: ${inputs.length === 0 ? 'it has no input' : `its inputs are ${listed}`}; headlight needs one of N×3×H×W, N×1×H×W or with the channels last`,
    )
  }
  if (others.length > 0) {
    throw new InputError(
      'unsupported-network',
      `${file} takes several images (${shownText(images.map(({ name }) => name).join(', '))}), and headlight explains one: export the network with a single image as its input`,
    )
  }
  const [batch, ...sides] = (image.shape ?? []).map((side) => (typeof side === 'number' ? side : undefined))
  const [second, third, fourth] = sides
  const layout = !isChannels(second) && isChannels(fourth) ? 'nhwc' : 'nchw'
  const [channels, height, width] = layout === 'nchw' ? [second, third, fourth] : [fourth, second, third]
  if (channels !== undefined && !isChannels(channels)) {
    throw new InputError(
      'unsupported-network',
      `${file} takes ${channels} channels (${declaredText(image)}), and headlight shows pictures of 3 or 1`,
    )
  }
  if ([height, width].some((side) => side !== undefined && (side < sideLimits.least || side > sideLimits.most))) {
    throw new InputError(
      'unsupported-network',
      `${file} takes pictures of another size (${declaredText(image)}) than headlight does, ${sideLimits.least} to ${sideLimits.most} pixels a side: export it for such a size, or with open sizes`,
    )
  }
  return { name: image.name, batch, layout, channels, height, width, isBytes: image.type === 'uint8' }
}

function isChannels(side: number | undefined): side is 1 | 3 {
  return side === 1 || side === 3
}

function isNumeric(type: string): boolean {
  return type === 'uint8' || ['float', 'float16', 'double', 'bfloat16'].includes(type)
}
