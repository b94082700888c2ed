import { angleNames } from '../../../pose/euler.ts'
import { numberTable } from '../../charts/numberTable.ts'
import { escapeHtml } from '../../escaping.ts'
import { hundredth, trueSignedHundredth, whole } from '../../numberText.ts'
import type { Comparison } from '../comparison.ts'
import type { NamedGroups } from '../nameGroups.ts'

/** Subjects and sequences, most changed first; nothing where the dataset names neither, or no estimate differs. */
export function namesSection({ subjects, sequences, all }: Comparison): string {
  if ((all.disagreement ?? 0) === 0) return ''
  const [ofSubjects, ofSequences] = [namesPart(subjects, 'subject'), namesPart(sequences, 'sequence')]
  return `${ofSubjects}${areAlike(subjects, sequences) ? '' : ofSequences}`
}

/** Each subject has one sequence: the second table would be the first under other names. */
function areAlike(subjects: NamedGroups, sequences: NamedGroups): boolean {
  const parts = ({ named }: NamedGroups) => named.map(({ n, disagreement }) => `${n} ${disagreement}`).join('\n')
  return parts(subjects) === parts(sequences)
}

function namesPart({ named, others, unnamed }: NamedGroups, what: 'subject' | 'sequence'): string {
  if (named.length === 0) return ''
  const isLabelled = named.some(({ errors }) => errors !== null)
  const angles = angleNames.filter((angle) => named.some(({ errors }) => errors?.[angle] !== undefined))
  const columns = [
    { name: what, isText: true },
    { name: 'images' },
    ...(isLabelled ? ['A, °', 'B, °', 'B − A, °'].map((name) => ({ name })) : []),
    ...angles.flatMap((angle) => [{ name: `bias A, ${angle}` }, { name: `bias B, ${angle}` }]),
    { name: 'estimates apart, °' },
  ]
  const rows = named.map(({ name, n, errors, disagreement }) => [
    `<span class="key">${escapeHtml(name)}</span>`,
    whole(n),
    ...(isLabelled
      ? errors === null
        ? ['', '', '']
        : [
            hundredth(errors.mean.a),
            hundredth(errors.mean.b),
            `<strong>${trueSignedHundredth(errors.mean.delta)}</strong>`,
          ]
      : []),
    ...angles.flatMap((angle) => {
      const found = errors?.[angle]
      return found === undefined ? ['', ''] : [trueSignedHundredth(found.biasA), trueSignedHundredth(found.biasB)]
    }),
    disagreement === null ? '' : hundredth(disagreement),
  ])
  const left = [
    ...(others === null
      ? []
      : [`${whole(others.names)}${others.isMore ? ' or more' : ''} smaller ${what}s are not shown`]),
    ...(unnamed === null ? [] : [`${whole(unnamed.n)} images belong to none`]),
  ]
  const note = left.length === 0 ? '' : `<p class="quiet">${left.join('; ')}.</p>`
  const name = what === 'subject' ? 'Subjects' : 'Sequences'
  return `<h3>${name}</h3><p class="quiet">Those first that changed most. Errors are means over the angles.</p>${numberTable(columns, rows, { name })}${note}`
}
