import { InputError } from '../../base/errors.ts'
import type { AdapterOptions } from '../../dataset/adapters.ts'
import type { ResultOptions } from '../../output/resultSet.ts'
import { parseObjectives, readsClasses } from '../../saliency/objective.ts'
import { adapterOptions } from './adapterSettings.ts'
import type { Settings } from './optionSchema.ts'

/** The choices among the settings that change a record or a map. Raises InputError `bad-option`. */
export function resultOptions(settings: Settings): ResultOptions {
  const { scope, relu6, style, gradients, logits, maxPixels } = settings
  const objectives = parseObjectives([settings.objective].flat().join(','))
  const adapter = adapterOptions(settings)
  if (readsClasses(objectives)) requireClassColumn(adapter)
  return {
    objectives,
    scope,
    ...(relu6 === 'guided' ? {} : { relu6 }),
    style,
    gradients,
    logits,
    maxPixels,
    adapter,
  }
}

function requireClassColumn(adapter: AdapterOptions): void {
  if ('columns' in adapter && adapter.columns.class !== undefined) return
  throw new InputError(
    'bad-option',
    'objective "class:label" needs the class of each image: name the index and the column that holds it, --adapter csv --index FILE --columns class=COLUMN',
  )
}
