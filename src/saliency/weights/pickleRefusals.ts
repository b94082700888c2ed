import { InputError } from '../../base/errors.ts'

const saveWeightsOnly =
  'load it where you trust it and save the weights alone with torch.save(model.state_dict(), FILE)'
const orExport = 'or export the model with torch.onnx.export'

/** The name under which a model that PyTorch refers to by a persistent id is left unread. */
export const modelByReference = 'torch.nn.Module'

/** Modules whose classes mean that a whole model was pickled. A class of parameters alone means nothing. */
const modelName = /^(?:torch\.nn\.(?!parameter\.)|torchvision\.models\.|timm\.models\.)/

/** Classes of data, which training scripts and their libraries leave in checkpoints. */
const dataName = new RegExp(
  `^(?:${[
    /(?:argparse|collections|datetime|decimal|enum|omegaconf|pathlib|uuid)\..+/,
    /(?:pytorch_)?lightning\..+/,
    /numpy\.(?:_?core|dtypes|random)\..+/,
    /numpy\.(?:ndarray|dtype|bool_?|u?int\d+|float\d+)/,
    /torch\.(?:device|Generator|strided|sparse\w*|per_\w+|q?u?int\d+(?:x\d+)?|b?float\w+|complex\d+|bits\w+)/,
    /torch\.(?:storage\.|cuda\.)?\w+Storage/,
    /torch\.optim\..+/,
    /torch\._(?:utils|tensor)\._rebuild_\w+|torch\.serialization\._get_layout/,
    /functools\.partial|_codecs\.encode|copy_?reg\._reconstructor/,
    /(?:builtins|__builtin__)\.(?:set|frozenset|slice|complex|bytearray|x?range|object|dict|list|tuple|int|long|float|bool|str|type)/,
  ]
    .map(({ source }) => source)
    .join('|')})$`,
)

/** Modules that nobody needs for data. The list only orders what is said: what is not in it is not run either. */
const codeName =
  /^(?:os|posix|nt|subprocess|sys|shutil|socket|builtins|__builtin__|runpy|importlib|pty|ctypes|code|commands|pickle|_pickle|marshal|operator|webbrowser|torch\.(?:load|hub|jit|serialization|storage))(?:\.|$)/

/**
 * Why a pickle without weights is refused, by the names in it that were left unread; undefined when they tell nothing.
 * InputError `unsafe-checkpoint` or, for a whole model, `bad-checkpoint`.
 */
export function refusalOfUnread(names: Iterable<string>, file: string): InputError | undefined {
  const [first] = mostTellingFirst(names)
  if (first === undefined || dataName.test(first)) return undefined
  if (modelName.test(first)) {
    return new InputError(
      'bad-checkpoint',
      `${file} is a whole pickled model (it asks for ${shown(first)}), not its weights: ${saveWeightsOnly}, ${orExport}`,
    )
  }
  return new InputError(
    'unsafe-checkpoint',
    `${file} asks for ${shown(first)}, which no tensor needs (nothing was run): ${saveWeightsOnly}`,
  )
}

/** What is said of names that were left unread beside weights; null when there are none. */
export function noteOfUnread(names: Iterable<string>): string | null {
  const [first, ...others] = mostTellingFirst(names)
  if (first === undefined) return null
  const more = others.length === 1 ? ' and one other' : ` and ${others.length} others`
  const asked = others.length === 0 ? `${shown(first)}; it was` : `${shown(first)}${more}; they were`
  return `Beside the weights the file asks for ${asked} left unread, and nothing was run.`
}

/** A name out of a hostile file may hold anything; a terminal must not obey it. */
export function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200)).slice(1, -1)
}

function mostTellingFirst(names: Iterable<string>): string[] {
  const rank = (name: string): number =>
    dataName.test(name) ? 3 : codeName.test(name) ? 0 : modelName.test(name) ? 1 : 2
  return [...names].toSorted((a, b) => rank(a) - rank(b))
}
