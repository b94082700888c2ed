import { cellName } from '../../../report/cellName.ts'
import { href } from '../navigation.ts'

interface CellTableProps {
  /** What a screen reader calls it. */
  readonly label: string
  /** Heads of the numbers. */
  readonly columns: readonly string[]
  readonly rows: readonly {
    readonly cell: { readonly yaw: number; readonly pitch: number }
    /** Where its name leads, below the base path. */
    readonly link?: string
    /** One for each column. */
    readonly texts: readonly string[]
  }[]
}

/** What a heat grid shows as a plain table, folded: for whoever reads numbers rather than colours. */
export function CellTable({ label, columns, rows }: CellTableProps) {
  return (
    <details>
      <summary>as a table</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={label}>
        <table>
          <thead>
            <tr>
              <th scope="col">cell</th>
              {columns.map((column) => (
                <th key={column} scope="col" class="number">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ cell, link, texts }) => (
              <tr key={`${cell.yaw},${cell.pitch}`}>
                <th scope="row">{link === undefined ? cellName(cell) : <a href={href(link)}>{cellName(cell)}</a>}</th>
                {columns.map((column, at) => (
                  <td key={column} class="number">
                    {texts[at]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
