/**
 * Stands between an image's key and the name of a face in it: `a.jpg#2`. The name holds none, so the last one in a
 * sample's key is this one, whatever the image is called, and no two faces have one key.
 */
const mark = '#'

/** What follows the image's key in the key of a face: letters that any store takes, the rest percent-encoded. */
export function faceSuffix(face: string): string {
  // JSON may hold half a surrogate pair, which no URI can: it is replaced as writing it in UTF-8 would.
  return mark + encodeURIComponent(Buffer.from(face).toString())
}

/** The name that a suffix was made of. */
export function faceOf(suffix: string): string {
  return decodeURIComponent(suffix.slice(mark.length))
}

/** The key of the image that a face's sample shows; of a key without a face, that key. */
export function imageOfFace(key: string): string {
  const end = key.lastIndexOf(mark)
  return end < 0 ? key : key.slice(0, end)
}
