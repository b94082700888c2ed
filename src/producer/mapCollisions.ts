/**
 * Finds samples whose maps or gradients could not lie side by side in the output: `a.jpg` and `a.jpg.png` share the map
 * `a.jpg.png`; the map `a.png` is in the way of the folder of `a.png/b.jpg`.
 *
 * The first of such a pair is always a prefix of the second. In a listing sorted by UTF-8 bytes every key between a key
 * and a longer one that starts with it starts with it too, so the keys that matter to the present one are those of a
 * stack: all listed keys that are its prefixes. Its depth is limited by the length of a key, whatever the listing's.
 * Comparing with the key just before would be wrong: `a.jpg-1` sorts between the two of the first pair.
 */
export class MapCollisions {
  readonly #prefixes: string[]

  /** `prefixes`: what `prefixes` gave when an earlier listing stopped. */
  constructor(prefixes: readonly string[] = []) {
    this.#prefixes = [...prefixes]
  }

  /** Enough to go on after the last key that was looked at. */
  get prefixes(): readonly string[] {
    return this.#prefixes
  }

  /** Whether this key, the next of the listing, collides with an earlier one; remembered unless it does. */
  collides(key: string): boolean {
    while (this.#prefixes.length > 0 && !key.startsWith(this.#prefixes.at(-1) ?? '')) this.#prefixes.pop()
    const found = this.#prefixes.some((earlier) => {
      const rest = key.slice(earlier.length)
      // The map of `earlier` is `earlier` itself when that ends in .png, else `earlier.png` (output/layout.ts).
      return rest === '.png'
        ? !isPng(earlier)
        : rest.startsWith(isPng(earlier) ? '/' : '.png/') || rest.startsWith('.npy/')
    })
    if (!found) this.#prefixes.push(key)
    return found
  }
}

function isPng(key: string): boolean {
  return /\.png$/i.test(key)
}
