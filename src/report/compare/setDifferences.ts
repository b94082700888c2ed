import { withoutPassword } from '../../base/telemetry.ts'
import { describeAdapter } from '../../dataset/adapters.ts'
import { canonicalJson, type ResultSet } from '../../output/resultSet.ts'
import { descriptionSchema } from '../../saliency/networks/description.ts'
import { kindOf } from '../../saliency/networks/heads/kinds.ts'

/** One fact that two result sets do not share. */
export interface SetDifference {
  readonly what: string
  readonly a: string
  readonly b: string
}

/** What made two result sets and is not the same in both; empty for two runs of one. */
export function setDifferences(a: ResultSet, b: ResultSet): SetDifference[] {
  const [factsA, factsB] = [factsOf(a), factsOf(b)]
  const differences: SetDifference[] = []
  for (const [i, { what, text, value }] of factsA.entries()) {
    const other = factsB[i]
    if (other === undefined || canonicalJson(value) === canonicalJson(other.value)) continue
    // Two facts that read alike and are not: nobody learns from `input: 224 × 224` twice.
    const isTold = text !== other.text
    differences.push({
      what,
      a: isTold ? text : canonicalJson(value),
      b: isTold ? other.text : canonicalJson(other.value),
    })
  }
  return differences
}

interface Fact {
  readonly what: string
  readonly text: string
  readonly value: unknown
}

/** In the same order for each result set. */
function factsOf({ dataset, network, options, resultVersion, headlightVersion }: ResultSet): Fact[] {
  const plain = (what: string, value: string | number | boolean): Fact => ({ what, text: String(value), value })
  const described = descriptionSchema.safeParse(network.description).data
  return [
    plain('network file', network.file),
    { what: 'network, SHA-256', text: network.digest.slice(0, 12), value: network.digest },
    {
      what: 'weights, SHA-256',
      text: network.externalData?.digest.slice(0, 12) ?? 'none of its own',
      value: network.externalData?.digest ?? null,
    },
    {
      what: 'heads',
      text: described === undefined ? '' : described.heads.map((head) => kindOf(head.kind).text(head)).join('; '),
      value: described?.heads ?? network.description,
    },
    {
      what: 'input',
      text: described === undefined ? '' : `${described.input.width} × ${described.input.height}`,
      value: described?.input ?? null,
    },
    plain('scope', options.scope),
    plain('relu6', options.relu6 ?? 'guided'),
    plain('objectives', options.objectives.join(', ')),
    plain('map style', options.style),
    plain('gradients', options.gradients),
    plain('logits', options.logits),
    plain('dataset', withoutPassword(dataset.uri)),
    plain('dataset’s endpoint', withoutPassword(dataset.endpoint ?? 'the default')),
    { what: 'read as', text: withoutPassword(describeAdapter(options.adapter)), value: options.adapter },
    plain('pixel limit', options.maxPixels),
    plain('result version', resultVersion),
    plain('made by headlight', headlightVersion),
  ]
}
