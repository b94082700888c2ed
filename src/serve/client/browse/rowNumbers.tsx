import { tenth } from '../../../report/numberText.ts'
import type { RowFacts } from '../../wire.ts'
import { angleText, errorText } from './angleText.ts'

/** The three angles of a triple, in its order. */
const angles = ['yaw', 'pitch', 'roll'] as const

/** Estimates, labels and errors of a row, as far as it has any; a classifier's answer else. */
export function RowNumbers({ row }: { readonly row: RowFacts }) {
  if (row.status === 'failed') return <p class="answer failed">failed: {row.code}</p>
  const given = angles.flatMap((name, i) =>
    row.estimate[i] === null || row.estimate[i] === undefined ? [] : [{ name, i }],
  )
  if (given.length === 0) {
    if (row.topClass === null) return null
    const probability = row.topClassProbability === null ? '' : `, ${tenth(100 * row.topClassProbability)} %`
    return (
      <p class="answer">
        class {row.topClass}
        {probability}
        {row.class === null ? '' : ` (labelled ${row.class})`}
      </p>
    )
  }
  const hasLabel = given.some(({ i }) => row.label[i] !== null && row.label[i] !== undefined)
  return (
    <table class="angles">
      <thead>
        <tr>
          <th>°</th>
          {given.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">estimate</th>
          {given.map(({ name, i }) => (
            <td key={name}>{angleText(row.estimate[i] ?? null)}</td>
          ))}
        </tr>
        {hasLabel && (
          <tr>
            <th scope="row">label</th>
            {given.map(({ name, i }) => (
              <td key={name}>{angleText(row.label[i] ?? null)}</td>
            ))}
          </tr>
        )}
        {hasLabel && (
          <tr>
            <th scope="row">error</th>
            {given.map(({ name, i }) => (
              <td key={name}>{errorText(row.error[i] ?? null)}</td>
            ))}
          </tr>
        )}
      </tbody>
    </table>
  )
}
