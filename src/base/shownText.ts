/** The most characters of a file's text that a sentence shows. */
const mostCharacters = 200

/**
 * Text out of a file, for a sentence: on one line, nothing in it that a terminal acts on, and cut where it is long. A damaged
 * file has names of any kind and length.
 */
export function shownText(text: string): string {
  const start = shownLine(text.slice(0, mostCharacters))
  return text.length > mostCharacters ? `${start}…` : start
}

/** The same of whatever length, for a key that someone is to find again. */
export function shownLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}

/** Whether text is shown as it is, and so may name a thing. */
export function isShownWhole(text: string): boolean {
  return text !== '' && shownText(text) === text
}
