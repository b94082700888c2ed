type Kind = readonly [kind: string, telling: string | RegExp]

const convertTensorFlow = 'convert it to ONNX with python -m tf2onnx.convert'
const takeOriginal = 'export the network that it was made of to ONNX'

/** By how the file begins, as Latin-1 text; the first that fits. What can be done about it stands in brackets. */
const kinds: readonly Kind[] = [
  ['a git-lfs pointer (the file itself was not fetched: run git lfs pull)', 'version https://git-lfs'],
  ['an HDF5 file, as Keras writes (in Keras: model.export("model.onnx", format="onnx"))', '\x89HDF'],
  ['a PNG picture', '\x89PNG'],
  ['a JPEG picture', '\xff\xd8\xff'],
  ['a gzip file', '\x1f\x8b'],
  ['an xz file', '\xfd7zXZ'],
  ['a Zstandard file', '\x28\xb5\x2f\xfd'],
  ['a 7z archive', '7z\xbc\xaf'],
  ['a NumPy array', '\x93NUMPY'],
  ['a GGUF file', 'GGUF'],
  ['a PDF document', '%PDF'],
  [`a network of TensorFlow Lite (${convertTensorFlow} --tflite)`, /^.{4}TFL3/s],
  [`a file of ONNX Runtime's own format (${takeOriginal})`, /^.{4}ORTM/s],
  [`a network of ncnn (${takeOriginal})`, /^7767517\s/],
  [`a network of OpenVINO (${takeOriginal})`, /^\s*(?:<\?xml.*?\?>\s*)?<net\s/s],
  ['an XML document', '<?xml'],
  // Protobufs: field 1 is a small number in the first three of these and a node in the fourth.
  [`a SavedModel of TensorFlow (${convertTensorFlow} --saved-model)`, /^\x08\x01\x12[\x80-\xff]/],
  [`a network of Core ML (${takeOriginal})`, /^\x08[\x01-\x20]\x12(?:[\x80-\xff]|.\n)/s],
  ['an ONNX file', /^\x08[\x01-\x20](?:\x12|:|B)/],
  [`a frozen graph of TensorFlow (${convertTensorFlow} --graphdef)`, /^\n.{1,99}?\x12(?:\x0bPlaceholder|\x05Const)/s],
  ['an HTML page (often a download that asked to log in)', /^\s*<(?:!doctype html|html|head|body)/i],
  ['a tar archive (PyTorch before 0.2 wrote such files too)', /^.{257}ustar/s],
  ['JSON text', /^\s*[[{][\t\n\r\x20-\x7e\x80-\xff]*$/],
  ['text', /^[\t\n\r\x20-\x7e\x80-\xff]*$/],
]

/** What a file that is no checkpoint looks like, as the end of “it looks like …”; undefined when nothing is telling. */
export function fileKind(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 512)).toString('latin1')
  const found = kinds.find(([, telling]) =>
    typeof telling === 'string' ? head.startsWith(telling) : telling.test(head),
  )
  return found?.[0]
}
