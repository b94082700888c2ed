import { writeSelection, type Selection } from '../../selection.ts'

/** Tells what goes on with what a reader typed just before, so that Back does not go through it letter by letter. */
export class Typing {
  #field: string | null = null
  #typed = ''

  /** @param field what is typed into; null: it is another kind of change */
  goesOn(field: string | null, before: Selection, after: Selection): boolean {
    const isGoingOn = field !== null && field === this.#field && textOf(before) === this.#typed
    this.#field = field
    this.#typed = textOf(after)
    return isGoingOn
  }
}

function textOf(selection: Selection): string {
  return writeSelection(selection).join('&')
}
