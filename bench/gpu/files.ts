import { fileURLToPath } from 'node:url'

// In a clone the command line is built into dist/ and this runs from the sources; in a bundle all of it is compiled in place.
const isBuilt = import.meta.url.endsWith('.js')
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The command line that is measured. */
export const headlightProgram = at(isBuilt ? '../../src/cli/main.js' : '../../dist/cli/main.js')
export const demoNetwork = at('../../examples/models/heads.pkl')
/** 640 × 480, 460 KB. */
export const sampleImage = at('../../test/images/BIWI00000001_-17_+1_+17.png')
export const packageFile = at('../../package.json')
/** A folder that holds nothing but a stand-in for `nvidia-smi`. */
export const standInFolder = at('./standIn')
