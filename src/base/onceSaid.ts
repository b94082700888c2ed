/** Of what others make a process say again and again, the first time. */
export class OnceSaid {
  readonly #said = new Set<string>()

  isNew(text: string): boolean {
    if (this.#said.has(text)) return false
    // Whoever can make it say something could fill its memory otherwise.
    if (this.#said.size === mostRemembered) this.#said.clear()
    this.#said.add(text)
    return true
  }
}

const mostRemembered = 1_000
