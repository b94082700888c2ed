import type { Description } from '../saliency/networks/description.ts'

/** Height over width of the network's input; 1 when the description is not one that this version knows. */
export function inputAspect(description: Description | undefined): number {
  return description === undefined ? 1 : description.input.height / description.input.width
}
