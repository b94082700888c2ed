import { InputError } from '../../base/errors.ts'

const saveWeightsOnly =
  'load it where you trust it and save the weights alone with torch.save(model.state_dict(), FILE)'

/** Modules whose classes mean that the whole model was pickled, not its weights. */
const modelModules = /^(torch\.nn|torchvision\.models|timm\.models)\./

/** For a pickle that names what is not in its vocabulary. */
export function refusedGlobal(file: string, name: string): InputError {
  // A name out of a hostile file may hold anything; a terminal must not obey it.
  const shown = JSON.stringify(name.slice(0, 200)).slice(1, -1)
  if (modelModules.test(name)) {
    return new InputError(
      'bad-checkpoint',
      `${file} is a whole pickled model (it asks for ${shown}), not its weights: ${saveWeightsOnly}`,
    )
  }
  return new InputError(
    'unsafe-checkpoint',
    `${file} asks for ${shown}, which no tensor needs (nothing was run): ${saveWeightsOnly}`,
  )
}

/** For a pickle that names a class by a number that only Python's own registry could resolve. */
export function refusedExtension(file: string): InputError {
  return new InputError(
    'unsafe-checkpoint',
    `${file} asks for a class by an extension code of copyreg, which no tensor needs: ${saveWeightsOnly}`,
  )
}
