/**
 * `npm run test:mutated-checkpoints [-- --count N --seed N --from N]`: checkpoints with something done to them, read,
 * recognised and built.
 */
import { judgeMutants } from '../../../support/mutantParent.ts'

await judgeMutants(new URL('child.ts', import.meta.url))
