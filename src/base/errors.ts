/**
 * Every error headlight raises on purpose says one sentence (what was wrong, where, what to do) and belongs to one of
 * five classes. The class is the consequence, so no caller ever looks at a message to decide what to do next:
 *
 * | class          | consequence                                                                          |
 * |----------------|--------------------------------------------------------------------------------------|
 * | InputError     | what the user gave cannot work: the command ends with exit code 2                    |
 * | SampleError    | this one object is bad: it becomes one failed record, its shard goes on              |
 * | TransientError | the same call may succeed in a moment: retried with backoff, then the job fails      |
 * | PlaceError     | this machine or its access is bad: the worker stops pulling, says why, tries later   |
 * | RefusalError   | the work names a place that this process may not touch: it is left to others         |
 */
const codes = {
  // InputError
  'bad-option': 'an option or config value is not allowed',
  'bad-uri': 'a URI names no store that headlight can open',
  'bad-checkpoint': 'the file is damaged, or no network that headlight reads',
  'unsafe-checkpoint': 'the file holds no weights and asks for something that no tensor needs',
  'unsupported-network': 'the network is of a family that headlight does not build, or needs what it does not compute',
  'bad-description': 'the description of the network contradicts itself or the weights',
  'no-such-bucket': 'the bucket or folder does not exist',
  'access-denied': 'the store refused the credentials, or a folder this user',
  unreachable: 'the endpoint did not answer',
  'empty-dataset': 'the dataset holds no image that the adapter reads',
  'bad-index': 'the index or the list of boxes cannot be read',
  'bad-layout': 'dataset and output overlap, or the output holds something else',
  'no-redis': 'no Redis server can be reached or started',
  held: 'another run writes to this result set',
  'no-such-run': 'the output holds no such run',
  'nothing-shared': 'two tables that are to be compared share no image',
  'bad-engine': 'the engine asked for cannot run here',
  'nothing-to-guide': 'the network has no activation that the scope could guide',
  // SampleError
  'empty-object': 'the object has no bytes',
  'not-an-image': 'the bytes are of no image format that headlight reads',
  'truncated-image': 'the image ends before its last row',
  'corrupt-image': 'the image decoder gave up',
  'too-many-pixels': 'the image is over the pixel limit',
  'too-many-bytes': 'the object is larger than any image within the pixel limit',
  vanished: 'the object was gone when it was read',
  changed: 'the object was replaced between listing and reading',
  unavailable: 'the object stayed unreadable while others were read; tried again in the next run',
  archived: 'the object lies in an archive and must be restored first; tried again in the next run',
  'bad-label': 'the pose or the class that belongs to the image cannot be read',
  'bad-key': 'the key cannot be laid out in the output store',
  'key-collision': 'two samples would be written to the same map key',
  'kills-unit': 'a unit died on this image alone, twice',
  'not-finite': 'the network gave NaN or infinity for this image, on an engine that knows its answer',
  'hangs-unit': 'a unit fell silent on this image alone, twice; tried again in the next run',
  // TransientError
  'store-busy': 'the store asked for patience (5xx, SlowDown, reset, timeout)',
  'queue-lost': 'the connection to Redis was lost',
  'unit-died': 'the unit that computed the shard died',
  'lock-lost': 'another worker took the shard over',
  // PlaceError
  'credentials-expired': 'the store refuses credentials that worked before',
  'store-gone': 'the dataset or output cannot be reached from this machine',
  'disk-full': 'no space is left on the device',
  'engine-wrong': 'the engine failed or missed its known answer',
  'network-mismatch': 'the network in the result set is not the one its digest names',
  // RefusalError
  'not-allowed': 'the work names a place outside of what --allow lists',
} as const

export type ErrorCode = keyof typeof codes

/** What each stable code means, for documentation and `failures.csv`. */
export const errorCodes: Readonly<Record<ErrorCode, string>> = codes

export abstract class HeadlightError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

export class InputError extends HeadlightError {}
export class SampleError extends HeadlightError {}
export class TransientError extends HeadlightError {}
export class PlaceError extends HeadlightError {}
export class RefusalError extends HeadlightError {}
