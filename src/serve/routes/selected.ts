import { InputError } from '../../base/errors.ts'
import { readSelection, type Selection } from '../selection.ts'

/** The selection of a query. InputError `bad-option` for what of it cannot be read: a typing error must not show everything. */
export function selected(parameters: URLSearchParams): Selection {
  const { selection, problems } = readSelection(parameters)
  const [problem] = problems
  if (problem !== undefined) throw new InputError('bad-option', problem)
  return selection
}
