/** A column of a table of numbers. */
export interface NumberColumn {
  /** No markup. */
  readonly name: string
  /** Text at the left in place of a number at the right. */
  readonly isText?: boolean
}

/** A cell: markup, or markup with a class. */
export type NumberCell = string | { readonly html: string; readonly className: string }

export interface NumberTableOptions {
  /** What a screen reader says of the table, no markup. */
  readonly name: string
  /** The page's script turns the heads into buttons that sort; the column it is sorted by now, and how. */
  readonly sortedBy?: { readonly column: number; readonly order: 'ascending' | 'descending' }
}

/**
 * A table that may be long. End tags that HTML lets one leave out are left out: with hundreds of rows they would be a
 * third of it. The first cell of a row names it.
 */
export function numberTable(
  columns: readonly NumberColumn[],
  rows: readonly (readonly NumberCell[])[],
  { name, sortedBy }: NumberTableOptions,
): string {
  const head = columns.map(({ name: text, isText }, i) => {
    const sort = sortedBy?.column === i ? ` aria-sort="${sortedBy.order}"` : ''
    return `<th scope="col"${isText ? ' class="text"' : ''}${sort}>${text}`
  })
  const body = rows.map((cells) => {
    const texts = cells.map((cell, i) => {
      const { html, className } = typeof cell === 'string' ? { html: cell, className: '' } : cell
      const classes = [...(columns[i]?.isText ? ['text'] : []), ...(className === '' ? [] : [className])].join(' ')
      const attribute = classes === '' ? '' : ` class="${classes}"`
      return i === 0 ? `<th scope="row"${attribute}>${html}` : `<td${attribute}>${html}`
    })
    return `<tr>${texts.join('')}`
  })
  return `<div class="scroll tall" tabindex="0" role="group" aria-label="${name}"><table class="numbers${sortedBy === undefined ? '' : ' sortable'}"><thead><tr>${head.join('')}<tbody>${body.join('')}</table></div>`
}

/** The same behind a line that opens it. */
export function foldedTable(
  columns: readonly NumberColumn[],
  rows: readonly (readonly NumberCell[])[],
  name: string,
): string {
  return `<details><summary>${name}</summary>${numberTable(columns, rows, { name })}</details>`
}
