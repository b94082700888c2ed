import { hundredth, tenth } from '../../../report/numberText.ts'
import type { SampleReply } from '../../wire.ts'
import { angleText } from '../browse/angleText.ts'
import { RowNumbers } from '../browse/rowNumbers.tsx'

/** What the table says of an image. */
export function SampleFacts({ reply }: { readonly reply: SampleReply }) {
  const { row, bins, message, frame, imageSize } = reply
  const facts: [name: string, value: string | null][] = [
    ['mean error', row.meanError === null ? null : `${tenth(row.meanError)}°`],
    ['geodesic error', row.errorGeodesic === null ? null : `${tenth(row.errorGeodesic)}°`],
    ['subject', row.subject],
    ['sequence', row.sequence],
    ['frame', frame],
    ['image', imageSize === null ? null : `${imageSize.width} × ${imageSize.height} pixels`],
  ]
  return (
    <>
      <RowNumbers row={row} />
      {message !== null && <p class="note">{message}</p>}
      {row.isLeftOutOfErrors && <p class="note">A label lies beyond ±99°, so this image is left out of all errors.</p>}
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ),
        )}
      </dl>
      {bins.length > 0 && (
        <table class="bins">
          <caption>Likeliest bins</caption>
          <thead>
            <tr>
              <th scope="col">angle</th>
              <th scope="col">bin</th>
              <th scope="col">probability</th>
              <th scope="col">deviation, °</th>
              <th scope="col">entropy, nats</th>
            </tr>
          </thead>
          <tbody>
            {bins.map(({ angle, topBin, topProbability, std, entropy }) => (
              <tr key={angle}>
                <th scope="row">{angle}</th>
                <td>{topBin}</td>
                <td>{hundredth(topProbability)}</td>
                <td>{angleText(std)}</td>
                <td>{hundredth(entropy)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}
