import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { poseCellSize } from '../../../pose/poseCell.ts'
import { signed } from '../../../report/plotFrame.ts'
import { href } from '../navigation.ts'

/** A cell of the grid over yaw and pitch, by its least angles. */
export interface HeatCell {
  readonly yaw: number
  readonly pitch: number
  /** Of its colour. */
  readonly className: string
  /** Where it leads, below the base path. */
  readonly link: string
  /** Where it is, its value and its n, for whoever does not see it. */
  readonly label: string
  readonly content: ComponentChildren
}

interface HeatGridProps {
  readonly name: string
  readonly cells: readonly HeatCell[]
  /** Of a cell, pixels. */
  readonly side: number
}

/**
 * Yaw to the right, pitch upwards: a table whose cells lead somewhere. One stop for the tab key, arrows within, Home and
 * End along a row.
 */
export function HeatGrid({ name, cells, side }: HeatGridProps) {
  const table = useRef<HTMLTableElement>(null)
  const yaws = range(cells.map(({ yaw }) => yaw))
  const pitches = range(cells.map(({ pitch }) => pitch)).toReversed()
  const at = (row: number, column: number) =>
    cells.find(({ yaw, pitch }) => yaw === yaws[column] && pitch === pitches[row])
  const firstRow = pitches.findIndex((_, row) => yaws.some((_, column) => at(row, column) !== undefined))
  const firstColumn = yaws.findIndex((_, column) => at(firstRow, column) !== undefined)
  const [focus, setFocus] = useState<readonly [number, number] | null>(null)
  const [row, column] = focus !== null && at(...focus) !== undefined ? focus : [firstRow, firstColumn]

  /** The next cell that is there in a direction; where it stands when there is none. */
  const towards = (down: number, right: number): readonly [number, number] => {
    for (
      let [r, c] = [row + down, column + right];
      pitches[r] !== undefined && yaws[c] !== undefined;
      r += down, c += right
    ) {
      if (at(r, c) !== undefined) return [r, c]
    }
    return [row, column]
  }
  const along = (columns: readonly number[]) => [row, columns.find((c) => at(row, c) !== undefined) ?? column] as const
  const onKeyDown = (event: KeyboardEvent): void => {
    const all = yaws.map((_, c) => c)
    const targets: Readonly<Record<string, () => readonly [number, number]>> = {
      ArrowUp: () => towards(-1, 0),
      ArrowDown: () => towards(1, 0),
      ArrowLeft: () => towards(0, -1),
      ArrowRight: () => towards(0, 1),
      Home: () => along(all),
      End: () => along(all.toReversed()),
    }
    const target = targets[event.key]?.()
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    // The arrows would scroll the page, or turn to another image, elsewhere.
    event.stopPropagation()
    setFocus(target)
    table.current?.querySelector<HTMLElement>(`[data-at="${target.join()}"] a`)?.focus()
  }
  if (cells.length === 0) return null
  return (
    <div class="scroll">
      <table class="heat" role="grid" aria-label={name} ref={table} onKeyDown={onKeyDown}>
        <tbody>
          {pitches.map((pitch, r) => (
            <tr key={pitch}>
              <th scope="row" aria-label={`pitch ${signed(pitch)} to ${signed(pitch + poseCellSize)}°`}>
                {signed(pitch)}
              </th>
              {yaws.map((yaw, c) => {
                const cell = at(r, c)
                return cell === undefined ? (
                  // An empty row or column is as wide as the others, or distances would mislead.
                  <td key={yaw} role="gridcell" aria-label="no image">
                    <div style={{ width: `${side}px`, height: `${side}px` }} />
                  </td>
                ) : (
                  <td key={yaw} role="gridcell" data-at={`${r},${c}`} class={cell.className}>
                    <a
                      href={href(cell.link)}
                      tabIndex={r === row && c === column ? 0 : -1}
                      aria-label={cell.label}
                      title={cell.label}
                      onFocus={() => setFocus([r, c])}
                      style={{ width: `${side}px`, height: `${side}px` }}
                    >
                      {cell.content}
                    </a>
                  </td>
                )
              })}
            </tr>
          ))}
          <tr>
            <td class="corner">pitch ↑ yaw →</td>
            {yaws.map((yaw) => (
              <th key={yaw} scope="col" aria-label={`yaw ${signed(yaw)} to ${signed(yaw + poseCellSize)}°`}>
                {signed(yaw)}
              </th>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  )
}

/** All steps between the least and the greatest. */
function range(values: readonly number[]): number[] {
  const least = Math.min(...values)
  const count = (Math.max(...values) - least) / poseCellSize + 1
  return values.length === 0 ? [] : Array.from({ length: count }, (_, i) => least + i * poseCellSize)
}
