/**
 * The part of the page's script that sorts tables by a head: each becomes a button. Without the script the tables stand
 * as they were written, in an order of use, and no button does nothing.
 */
export const sortScript = `
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells]
  const body = table.tBodies[0]
  const value = (row, column) => {
    const text = row.cells[column].textContent
    const number = Number(text.replace('◆', '').replace('−', '-').replaceAll(',', '').trim() || NaN)
    return heads[column].classList.contains('text') ? text : number
  }
  const order = (a, b, column) => {
    const [x, y] = [value(a, column), value(b, column)]
    if (typeof x === 'string') return x < y ? -1 : x > y ? 1 : 0
    // By size: a bias is as large to either side.
    return Math.abs(x) - Math.abs(y)
  }
  const sort = (column) => {
    const was = heads[column].getAttribute('aria-sort')
    // Of numbers one looks for the largest, of names for the first.
    const isText = heads[column].classList.contains('text')
    const next = was === null ? (isText ? 'ascending' : 'descending') : was === 'ascending' ? 'descending' : 'ascending'
    for (const head of heads) head.removeAttribute('aria-sort')
    heads[column].setAttribute('aria-sort', next)
    const sign = next === 'ascending' ? 1 : -1
    const filled = [...body.rows].filter((row) => !(Number.isNaN(value(row, column))))
    const blank = [...body.rows].filter((row) => Number.isNaN(value(row, column)))
    body.replaceChildren(...filled.sort((a, b) => sign * order(a, b, column)), ...blank)
  }
  heads.forEach((head, column) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = head.textContent
    button.addEventListener('click', () => sort(column))
    head.replaceChildren(button)
  })
}
`
