/** `file:///home/me/out/` → `/home/me/out/`: people paste paths; other URIs stay. */
export function place(uri: string): string {
  return uri.startsWith('file:///') ? decodeURIComponent(uri.slice('file://'.length)) : uri
}

/** A sentence with `place` done to each such URI in it. */
export function withPlaces(sentence: string): string {
  return sentence.replace(/\bfile:\/\/\/[^\s"'`;,()]*/g, (uri) => {
    try {
      return place(uri)
    } catch {
      // A % that escapes nothing: then it is the URI that is wrong.
      return uri
    }
  })
}
