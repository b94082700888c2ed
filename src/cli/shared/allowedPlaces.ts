import { AllowedPlaces } from '../../storage/allowedPlaces.ts'
import type { Settings } from '../settings/optionSchema.ts'

/** What --allow lists; undefined where it is not given and all is allowed. Raises InputError `bad-option`. */
export function allowedPlaces({ allow }: Settings): AllowedPlaces | undefined {
  return allow === undefined ? undefined : new AllowedPlaces([allow].flat())
}
