/** One record of a CSV file. */
export interface CsvRow {
  /** Of the file, from 1, on which the record begins. */
  readonly line: number
  readonly cells: readonly string[]
}

/** The text is no CSV. */
export class CsvError extends Error {}

/**
 * The records of a CSV text as RFC 4180 describes it: cells end at commas, records at CRLF or LF; a cell in double quotes
 * may hold all of these, and two quotes for one. Records without any character are passed over. Raises CsvError for a
 * quote that is never closed, or goes on after it is.
 */
export function* csvRows(text: string): Generator<CsvRow, undefined> {
  let line = 1
  for (let at = 0; at < text.length;) {
    const first = line
    const cells: string[] = []
    for (let ended = false; !ended;) {
      let cell: string
      if (text[at] === '"') {
        const end = closingQuote(text, at)
        if (end < 0) throw new CsvError(`line ${line}: a quote is opened and never closed`)
        cell = text.slice(at + 1, end).replaceAll('""', '"')
        line += cell.split('\n').length - 1
        at = end + 1
      } else {
        const end = endOfCell(text, at)
        cell = text.slice(at, end)
        at = end
      }
      cells.push(cell)
      if (text[at] === ',') at++
      else {
        if (text[at] === '\r') at++
        if (at < text.length && text[at] !== '\n') {
          throw new CsvError(`line ${line}: a character follows the end of a quoted cell`)
        }
        at++
        line++
        ended = true
      }
    }
    if (cells.length > 1 || cells[0] !== '') yield { line: first, cells }
  }
  return undefined
}

function closingQuote(text: string, opening: number): number {
  let at = text.indexOf('"', opening + 1)
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2)
  return at
}

/** A CR belongs to the cell unless a LF follows. */
function endOfCell(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== ',' && text[at] !== '\n') at++
  return text[at] !== ',' && at > from && text[at - 1] === '\r' ? at - 1 : at
}
