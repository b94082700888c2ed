/** Brings TensorFlow.js' backend for libtensorflow and the sources of its addon. */
export const tfjsPackage = '@tensorflow/tfjs-node-gpu'

/** The package of TensorFlow.js, and an addon that was built of it. */
export interface TfjsAddon {
  readonly packageFolder: string
  readonly binding: string
}
