import { bigEndian } from './byteOrder.ts'

/** Markers of a JPEG by their second byte, as far as they are looked at. */
export const jpegMarkers = {
  dht: 0xc4,
  jpg: 0xc8,
  dac: 0xcc,
  soi: 0xd8,
  eoi: 0xd9,
  sos: 0xda,
  dqt: 0xdb,
  dri: 0xdd,
  dhp: 0xde,
  exp: 0xdf,
  app0: 0xe0,
  app2: 0xe2,
  app14: 0xee,
  jpg0: 0xf0,
  jpg7: 0xf7,
  jpg13: 0xfd,
} as const

/** Start of a frame: its header. */
export function isFrame(code: number): boolean {
  return (
    code >= 0xc0 && code <= 0xcf && code !== jpegMarkers.dht && code !== jpegMarkers.jpg && code !== jpegMarkers.dac
  )
}

export function isRestart(code: number): boolean {
  return code >= 0xd0 && code <= 0xd7
}

export interface JpegSegment {
  readonly code: number
  /** Without the length; ends where the file does. */
  readonly content: Uint8Array
  /** Of the content as the segment says it. */
  readonly length: number
  /** Where it should end. */
  readonly end: number
}

/** The segments from `start` up to a first scan, this one included, passing over what stands between them. */
export function* jpegSegments(bytes: Uint8Array, start: number): Generator<JpegSegment> {
  let at = start
  for (;;) {
    at = bytes.indexOf(0xff, at)
    if (at < 0) return
    while (bytes[at] === 0xff) at++
    const code = bytes[at]
    if (code === undefined) return
    at++
    // A stuffed byte, a restart and the ends of the image have no length.
    if (code <= 1 || isRestart(code) || code === jpegMarkers.soi || code === jpegMarkers.eoi) {
      if (code > 0) yield { code, content: bytes.subarray(at, at), length: 0, end: at }
      continue
    }
    const length = Math.max(0, bigEndian(bytes, at, 2) - 2)
    const end = at + 2 + length
    yield { code, content: bytes.subarray(at + 2, end), length, end }
    if (code === jpegMarkers.sos) return
    at = end
  }
}
