import { missingAngles, type ErrorFigures } from '../../report/errorFigures.ts'
import { hundredth, signedHundredth } from '../../report/numberText.ts'
import { number } from './quantities.ts'

/**
 * A column for each angle that has errors; ends with a newline.
 *
 * @param own of the images that the run itself computed: a line of its own where these are only some of all
 */
export function errorTable(figures: ErrorFigures, own?: ErrorFigures): string {
  const { columns, mae, median, bias, n, excluded, geodesicMean } = figures
  const row = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(22)}${cells.map((cell) => cell.padStart(8)).join('')}\n`
  const cells = (values: ErrorFigures['mae'], text: (value: number) => string): string[] =>
    columns.flatMap((column) => (values[column] === undefined ? [] : [text(values[column])]))
  let table = row('degrees', columns)
  table += row('mean absolute error', cells(mae, hundredth)) + row('median absolute error', cells(median, hundredth))
  if (bias) table += row('bias', cells(bias, signedHundredth))
  const beyond = excluded > 0 ? `, ${number(excluded)} with a label beyond ±99° left out` : ''
  const end =
    geodesicMean === undefined
      ? `the network gives no ${missingAngles(figures)}`
      : `mean geodesic error ${geodesicMean.toFixed(2)}°`
  return `${table}over ${number(n)} labelled images${beyond}; ${end}\n${own === undefined || own.n === n ? '' : ownLine(own)}`
}

function ownLine({ columns, mae, n }: ErrorFigures): string {
  const errors = columns.flatMap((column) => (mae[column] === undefined ? [] : [`${column} ${hundredth(mae[column])}`]))
  return `over the ${n === 1 ? 'one' : number(n)} of this run alone: mean absolute error ${errors.join(', ')}\n`
}
