import { TensorProto_DataLocation as DataLocation, type GraphProto, type TensorProto } from 'onnx-buf'
import { InputError } from '../../../base/errors.ts'
import { shownText } from '../../../base/shownText.ts'
import { isOnnx, readModelFile } from './modelFile.ts'

/** Bytes of tensors that lie outside of the ONNX file itself. */
export interface ExternalData {
  /** Base name, e.g. `model.onnx.data`. */
  readonly file: string
  readonly bytes: Uint8Array
}

/**
 * The file beside an ONNX file in which its weights lie (`model.onnx.data`); undefined where it holds them all itself, or is
 * no ONNX file. InputErrors: `unsupported-network` for several such files or one in another folder, `bad-checkpoint` for a
 * damaged file.
 */
export function externalDataFile(bytes: Uint8Array, file: string): string | undefined {
  if (!isOnnx(bytes)) return undefined
  const locations = new Set(tensorsOf(readModelFile(bytes, file).graph).flatMap((tensor) => locationOf(tensor) ?? []))
  const [only, ...more] = locations
  if (only === undefined) return undefined
  if (more.length > 0) {
    throw new InputError(
      'unsupported-network',
      `${file} keeps its weights in ${locations.size} files (${shownText([...locations].join(', '))}): save it anew with all of them in one, as onnx.save(onnx.load("${file}"), "one.onnx", save_as_external_data=True, location="one.onnx.data") does`,
    )
  }
  if (!isPlainName(only)) {
    throw new InputError(
      'unsupported-network',
      `${file} keeps its weights in ${JSON.stringify(shownText(only))}, and headlight reads only a file beside it: put both into one folder and save the network anew with a plain name for the second`,
    )
  }
  return only
}

/** The part of the second file that belongs to a tensor; undefined where it lies in the ONNX file itself. */
export function externalPart(
  tensor: TensorProto,
  file: string,
  data: ExternalData | undefined,
): Uint8Array | undefined {
  const location = locationOf(tensor)
  if (location === undefined) return undefined
  if (data?.file !== location) {
    throw new InputError(
      'bad-checkpoint',
      `${file} keeps ${shownText(tensor.name)} in ${shownText(location)}, which is missing`,
    )
  }
  const offset = entryOf(tensor, 'offset') ?? 0
  const length = entryOf(tensor, 'length') ?? data.bytes.byteLength - offset
  if (!(offset >= 0 && length >= 0 && offset + length <= data.bytes.byteLength)) {
    throw new InputError(
      'bad-checkpoint',
      `${file} looks for ${shownText(tensor.name)} in bytes ${offset} to ${offset + length} of ${data.file}, which has ${data.bytes.byteLength}: it belongs to another export, so copy both files together`,
    )
  }
  return data.bytes.subarray(offset, offset + length)
}

/** Every tensor of a graph, those of its nodes' attributes and branches included. */
function tensorsOf({ initializer, node }: GraphProto): TensorProto[] {
  const inAttributes = node.flatMap(({ attribute }) =>
    attribute.flatMap(({ t, tensors, g }) => [...(t ? [t] : []), ...tensors, ...(g ? tensorsOf(g) : [])]),
  )
  return [...initializer, ...inAttributes]
}

function locationOf(tensor: TensorProto): string | undefined {
  if (tensor.dataLocation !== DataLocation.EXTERNAL) return undefined
  return tensor.externalData.find(({ key }) => key === 'location')?.value ?? ''
}

function entryOf(tensor: TensorProto, key: string): number | undefined {
  const text = tensor.externalData.find((entry) => entry.key === key)?.value
  if (text === undefined) return undefined
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN
}

/** A path would lead out of the folder, on a machine or in a bucket. `.` and `..` are folders themselves. */
function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\u0000-\u001f]/.test(name) && name.length <= 200
}
