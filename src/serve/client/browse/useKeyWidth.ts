import { useRef } from 'preact/hooks'

/** Characters of the narrowest and the widest column of keys. */
const [narrowest, widest] = [8, 40]

/** Characters of the longest key that a list has shown so far: its column grows as a reader scrolls, and never shrinks. */
export function useKeyWidth(listName: string, keys: readonly string[]): number {
  const longest = useRef({ listName, width: narrowest })
  const before = longest.current.listName === listName ? longest.current.width : narrowest
  const width = keys.reduce((most, key) => Math.max(most, key.length + 1), before)
  longest.current = { listName, width: Math.min(widest, width) }
  return longest.current.width
}
