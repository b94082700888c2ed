import { InputError } from '../../base/errors.ts'

/** How PyTorch names the tensors of a reparametrised weight, and the call that makes it one tensor again. */
const kinds: readonly (readonly [kind: string, telling: RegExp, call: string])[] = [
  ['pruned', /^((?:.*\.)?(?:weight|bias))_mask$/, "torch.nn.utils.prune.remove(layer, 'weight')"],
  ['with weight norm', /^((?:.*\.)?weight)_g$/, 'torch.nn.utils.remove_weight_norm(layer)'],
  ['with spectral norm', /^((?:.*\.)?weight)_u$/, 'torch.nn.utils.remove_spectral_norm(layer)'],
  [
    'parametrised',
    /^((?:.*\.)?)parametrizations\.(weight|bias)\.original[01]?$/,
    "torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')",
  ],
]

/**
 * The refusal of weights that PyTorch computes anew at each forward pass from tensors of other names: pruned, normed or
 * parametrised. Undefined where there are none. To compute them here would mean to know every such function.
 */
export function reparametrised(names: readonly string[], file: string): InputError | undefined {
  for (const name of names) {
    for (const [kind, telling, call] of kinds) {
      const [, before, parameter = ''] = telling.exec(name) ?? []
      if (before === undefined || names.includes(before + parameter)) continue
      return new InputError(
        'unsupported-network',
        `${file} stores ${before}${parameter} ${kind}, as ${name} and others: call ${call} on every such layer before you save the state_dict`,
      )
    }
  }
  return undefined
}
