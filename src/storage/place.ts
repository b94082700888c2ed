/** `file:///home/me/out/` → `/home/me/out/`: people paste paths; other URIs stay, and so does one with a % that escapes nothing. */
export function place(uri: string): string {
  if (!uri.startsWith('file:///')) return uri
  try {
    return decodeURIComponent(uri.slice('file://'.length))
  } catch {
    return uri
  }
}

/** A sentence with `place` done to each such URI in it. */
export function withPlaces(sentence: string): string {
  return sentence.replace(/\bfile:\/\/\/[^\s"'`;,()]*/g, place)
}
