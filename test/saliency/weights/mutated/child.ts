/** Started by `main.ts`. */
import { tryMutants } from '../../../support/mutantChild.ts'
import { mutantOf, verdictOf, wholeFiles } from './mutants.ts'

const wholes = wholeFiles()
await tryMutants({ mutantOf: (index, seed) => mutantOf(wholes, index, seed), verdictOf })
