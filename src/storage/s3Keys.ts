/** A key as it is read from a listing. */
export interface ListedKey {
  readonly key: string
  /** The listing wrote it so that it cannot be told for certain; what could be decoded is. */
  readonly isGarbled: boolean
}

const certain = (key: string): ListedKey => ({ key, isGarbled: false })

/**
 * What a listing that was asked for `encoding-type=url` has written. Some services ignore the wish. Some name it and yet
 * write a raw `%`, or escape bytes that are no UTF-8: decoding as a whole would then raise an error, and one odd key
 * would end the listing of all others.
 */
export function listedKey(text: string, encodingType: string | undefined): ListedKey {
  if (encodingType !== 'url') return certain(text)
  // Amazon and its followers write a space as `+`, and a plus as `%2B`. A service that writes `%20` means its pluses.
  const spaced = text.includes('%20') ? text : text.replaceAll('+', ' ')
  const whole = decoded(spaced)
  if (whole !== undefined) return certain(whole)
  return { key: spaced.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => decoded(escapes) ?? escapes), isGarbled: true }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
