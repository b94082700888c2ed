import { InputError } from '../../base/errors.ts'
import type { ByteCursor } from './byteCursor.ts'
import { PickleMachine, type PickleVocabulary } from './pickleMachine.ts'
import { runOperation, stopCode } from './pickleOperations.ts'
import type { PickleValue } from './pickleValues.ts'

/**
 * A checkpoint of a thousand tensors takes about 40,000 operations, three times that with an optimiser; a history of the
 * training may take one for each number in it. The limit bounds memory and time.
 */
const maxOperations = 2_000_000

/**
 * Reads one pickle (protocols 0 to 5) from the cursor and leaves the cursor behind its STOP. A pickle is a program;
 * this interpreter knows its data operations and no way to call code: a global is only compared with the vocabulary's
 * table, and one that is not in it becomes a `PickleUnread`, which is all that ever comes of it. A pickle that is cut off
 * or makes no sense is an InputError `bad-checkpoint`.
 */
export function readPickle(cursor: ByteCursor, vocabulary: PickleVocabulary): PickleValue {
  const machine = new PickleMachine(cursor, vocabulary)
  for (let operation = 0; operation < maxOperations; operation++) {
    const code = cursor.u8()
    if (code === stopCode) return machine.pop()
    runOperation(code, machine)
  }
  throw new InputError(
    'bad-checkpoint',
    `${cursor.file} holds a pickle of over ${maxOperations} operations, far more than weights need: save only the state_dict()`,
  )
}
