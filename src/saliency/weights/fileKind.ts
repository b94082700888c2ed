const starts: readonly (readonly [kind: string, start: string | readonly number[]])[] = [
  ['a git-lfs pointer (the file itself was not fetched: run git lfs pull)', 'version https://git-lfs'],
  ['an HDF5 file, as Keras writes', [0x89, 0x48, 0x44, 0x46]],
  ['a PNG picture', [0x89, 0x50, 0x4e, 0x47]],
  ['a JPEG picture', [0xff, 0xd8, 0xff]],
  ['a gzip file', [0x1f, 0x8b]],
  ['an xz file', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['a Zstandard file', [0x28, 0xb5, 0x2f, 0xfd]],
  ['a 7z archive', [0x37, 0x7a, 0xbc, 0xaf]],
  ['a NumPy array', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  ['a GGUF file', 'GGUF'],
  ['a PDF document', '%PDF'],
  ['an XML document', '<?xml'],
]

/** What a file that is no checkpoint looks like, as the end of “it looks like …”; undefined when nothing is telling. */
export function fileKind(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 512))
  for (const [kind, start] of starts) {
    const wanted = Buffer.from(start as string | number[])
    if (head.subarray(0, wanted.length).equals(wanted)) return kind
  }
  const text = head.toString('latin1')
  if (/^\s*<(?:!doctype html|html|head|body)/i.test(text)) return 'an HTML page (often a download that asked to log in)'
  if (text.slice(257, 262) === 'ustar') return 'a tar archive (PyTorch before 0.2 wrote such files too)'
  // ONNX is protobuf: field 1 (ir_version) as a small number, then producer or graph.
  if (/^\x08[\x01-\x20](?:\x12|:|B)/.test(text)) return 'an ONNX file'
  if (/^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(text)) return /^\s*[[{]/.test(text) ? 'JSON text' : 'text'
  return undefined
}
