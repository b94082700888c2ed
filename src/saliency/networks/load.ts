import { createHash } from 'node:crypto'
import { InputError } from '../../base/errors.ts'
import { readWeights, type Weights } from '../weights/read.ts'
import type { Tensors } from '../weights/tensors.ts'
import type { DescriptionOverride } from './description.ts'
import { recogniseNetwork } from './families.ts'
import type { GivenEpsilons, RecognisedNetwork } from './family.ts'
import type { Network } from './network.ts'
import { readOnnx, type OnnxOptions } from './onnx.ts'
import type { ExternalData } from './onnx/externalData.ts'
import { isOnnx } from './onnx/modelFile.ts'
import { checkOverride } from './override.ts'
import { resolveDescription } from './resolve.ts'
import { withNetworkFacts } from './unresolvedNetwork.ts'

/**
 * A checkpoint's bytes made into a network. `file` is its base name; `override` is a parsed description file or a resolved
 * description, which people find at `source` (`<file>.yaml` unless it is given); `externalData` is the second file of an ONNX
 * network that has one (see `externalDataFile`). The weights may be views of the bytes, which must not be written to
 * afterwards.
 *
 * InputErrors: `bad-checkpoint`, `unsafe-checkpoint`, `unsupported-network`, `bad-description`.
 */
export function loadNetwork(
  bytes: Uint8Array,
  file: string,
  override?: unknown,
  source?: string,
  externalData?: ExternalData,
): Network {
  const given = checkOverride(override, file)
  const { format, storedTypes, tensors, notes, recognised } = recogniseFile(bytes, file, {
    given,
    source,
    externalData,
  })
  // Read now: what is damaged in the file is the file's fault, and later it would be a worker that finds it.
  for (const name of recognised.used) void recognised.weights.get(name)?.data
  const { architecture, facts } = recognised
  const resolved = withNetworkFacts({ file, architecture, facts }, () =>
    resolveDescription(recognised, given, file, tensors, source),
  )
  const { description, provenance } = resolved
  return {
    file,
    digest: sha256(bytes),
    format,
    storedTypes,
    recognised,
    description,
    provenance,
    ...(source === undefined ? {} : { source }),
    ...(externalData === undefined
      ? {}
      : { externalData: { file: externalData.file, digest: sha256(externalData.bytes) } }),
    notes: [...notes, ...recognised.notes, ...resolved.notes],
    weights: recognised.weights,
  }
}

interface Read {
  readonly format: string
  readonly storedTypes: readonly string[]
  /** Every tensor of the file, also those that no layer takes. */
  readonly tensors: Tensors
  readonly notes: readonly string[]
  readonly recognised: RecognisedNetwork
}

/**
 * The network in a checkpoint's bytes, whatever is to be read in its outputs. Raises the InputErrors of `loadNetwork`,
 * `bad-description` only for what is given.
 */
export function recogniseFile(bytes: Uint8Array, file: string, options: OnnxOptions): Read {
  return isOnnx(bytes) ? onnxRead(bytes, file, options) : checkpointRead(bytes, file, options.given)
}

function onnxRead(bytes: Uint8Array, file: string, options: OnnxOptions): Read {
  const { recognised, storedTypes } = readOnnx(bytes, file, options)
  return { format: 'ONNX', storedTypes, tensors: recognised.weights, notes: [], recognised }
}

function checkpointRead(bytes: Uint8Array, file: string, given: DescriptionOverride): Read {
  const read = readWeights(bytes, file)
  return { ...read, recognised: recognisedIn(read, file, given.batchNorm) }
}

/** Where layers lie in another part of the file, its refusal says so: what is missing may be among them. */
function recognisedIn(
  { tensors, unreadable, parts }: Weights,
  file: string,
  given: GivenEpsilons | undefined,
): RecognisedNetwork {
  try {
    return recogniseNetwork(tensors, file, given, unreadable)
  } catch (error) {
    if (!(error instanceof InputError) || parts.length === 0) throw error
    throw new InputError(
      error.code,
      `${error.message}; the file holds other layers under ${parts.join(', ')}, which were left out: save the whole network as one state_dict`,
      { cause: error },
    )
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
