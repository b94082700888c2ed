import type { Readable } from 'node:stream'

/** The body as one buffer; raises when it is not exactly as long as the header said, or is cut off. */
export async function readBody(
  body: Readable,
  sizeBytes: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const stop = () => body.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await (sizeBytes === undefined ? readChunks(body) : readSized(body, sizeBytes))
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** Of unknown length: the chunks' own end tells that the body is whole. */
async function readChunks(body: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function readSized(body: Readable, sizeBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes)
    let filled = 0
    body.on('data', (chunk: Buffer) => {
      if (filled + chunk.length <= sizeBytes) chunk.copy(bytes, filled)
      filled += chunk.length
    })
    body.on('end', () => {
      if (filled === sizeBytes) resolve(bytes)
      else reject(new Error(`${filled} bytes came instead of ${sizeBytes}`))
    })
    body.on('error', reject)
    body.on('close', () => reject(new Error(`the connection closed after ${filled} of ${sizeBytes} bytes`)))
  })
}
