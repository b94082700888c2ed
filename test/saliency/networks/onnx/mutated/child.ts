/** Started by `main.ts`. */
import { tryMutants } from '../../../../support/mutantChild.ts'
import { lightFiles, mutantOf, wholeFiles } from './mutants.ts'
import { verdictOf } from './verdict.ts'

const [wholes, lights] = [wholeFiles(), lightFiles()]
await tryMutants({ mutantOf: (index, seed) => mutantOf(wholes, lights, index, seed), verdictOf })
