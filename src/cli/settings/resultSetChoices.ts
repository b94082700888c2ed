import type { ResultOptions } from '../../output/resultSet.ts'
import { parseObjectives } from '../../saliency/objective.ts'
import { adapterOptions } from './adapterSettings.ts'
import type { Settings } from './optionSchema.ts'

/** The choices among the settings that change a record or a map. Raises InputError `bad-option`. */
export function resultOptions(settings: Settings): ResultOptions {
  const { scope, style, gradients, logits, maxPixels } = settings
  const objectives = parseObjectives([settings.objective].flat().join(','))
  return { objectives, scope, style, gradients, logits, maxPixels, adapter: adapterOptions(settings) }
}
