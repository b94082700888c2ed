import { errorCodes } from '../../../base/errors.ts'
import { angleNames } from '../../../pose/euler.ts'
import { numberTable } from '../../charts/numberTable.ts'
import { escapeHtml } from '../../escaping.ts'
import type { FailureGroup } from '../../failureExamples.ts'
import { hundredth, trueSignedHundredth, whole } from '../../numberText.ts'
import type { Comparison } from '../comparison.ts'
import type { SideErrors } from '../sideErrors.ts'

/** Which images are compared, and the errors of those that are not. */
export function imagesSection({ images, apart, a, b }: Comparison): string {
  const rows: [string, number, SideErrors | null][] = [
    ['all of A', a.all.n, a.all],
    ['all of B', b.all.n, b.all],
    ['only in A', images.onlyA, apart.onlyA],
    ['only in B', images.onlyB, apart.onlyB],
    ['changed, as in A', images.changed, apart.changedA],
    ['changed, as in B', images.changed, apart.changedB],
    ['failed in both', images.failedBoth, null],
    ['failed only in A', images.failedOnlyA, null],
    ['failed only in B', images.failedOnlyB, null],
  ]
  const shown = rows.filter(([name, n]) => n > 0 || name.startsWith('all'))
  const angles = angleNames.filter((angle) => shown.some(([, , side]) => side?.errors?.mae[angle] !== undefined))
  const hasErrors = angles.length > 0
  const columns = [
    { name: 'rows', isText: true },
    { name: 'images' },
    ...(hasErrors ? [{ name: 'with a label' }, { name: 'mean error, °' }] : []),
    ...angles.map((angle) => ({ name: `error in ${angle}, °` })),
    ...angles.map((angle) => ({ name: `bias in ${angle}, °` })),
  ]
  const cells = shown.map(([name, n, side]) => {
    const errors = side?.errors ?? null
    return [
      name,
      whole(n),
      ...(hasErrors ? [errors === null ? '' : whole(errors.n), number(errors?.mae.mean, hundredth)] : []),
      ...angles.map((angle) => number(errors?.mae[angle], hundredth)),
      ...angles.map((angle) => number(errors?.bias[angle], trueSignedHundredth)),
    ]
  })
  const beyond =
    images.beyondLabelLimit === 0
      ? ''
      : ` ${whole(images.beyondLabelLimit)} of them have no error, a label lying beyond ±99°.`
  return `<p>${whole(images.compared)} images are compared: they are in both tables with the same fingerprint, and failed in neither.${beyond} An image is changed when its object or its label is another; what a night has brought is only in B.</p>
<p class="quiet">Each table by itself, not paired:</p>
${numberTable(columns, cells, { name: 'Errors of each table by itself' })}`
}

function number(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? '' : text(value)
}

/** Images that failed in one table only; nothing where none did. */
export function failuresSection({ failures }: Comparison): string {
  const meanings: Readonly<Record<string, string>> = errorCodes
  const rows = (side: string, groups: readonly FailureGroup[]) =>
    groups.map(({ code, count, examples }) => {
      const shown = examples.map(
        ({ key, message }) =>
          `<div><span class="key">${escapeHtml(key)}</span> <span class="quiet">${escapeHtml(message)}</span></div>`,
      )
      return `<tr><td>${side}</td><td><code>${escapeHtml(code)}</code><br><span class="quiet">${escapeHtml(meanings[code] ?? '')}</span></td><td class="number">${whole(count)}</td><td>${shown.join('')}</td></tr>`
    })
  const all = [...rows('only in A', failures.onlyA), ...rows('only in B', failures.onlyB)]
  if (all.length === 0) return ''
  return `<div class="scroll"><table><thead><tr><th scope="col">failed</th><th scope="col">code</th><th scope="col" class="number">images</th><th scope="col">first of them</th></tr></thead><tbody>${all.join('')}</tbody></table></div>`
}
