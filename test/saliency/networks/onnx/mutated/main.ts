/**
 * `npm run test:mutated-onnx [-- --count N --seed N --from N]`: ONNX files with something done to them, or to their second
 * file, read and built, with and without a head that names a tensor; a tenth of those that load are run.
 */
import { judgeMutants } from '../../../../support/mutantParent.ts'

await judgeMutants(new URL('child.ts', import.meta.url))
