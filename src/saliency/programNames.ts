import type { AngleName } from '../pose/euler.ts'

/**
 * Names of the program's inputs and outputs (N = batch, H×W = the network's input size):
 *
 * - `pixels` in: uint8, N×H×W×3, RGB, or N×H×W×1 for a network that sees gray;
 * - `labels` in, only with an objective `class:label`: float32, N×classes, a one at the class of each image;
 * - `angle/<name>`: N×1, degrees; `output/<name>`: N×outputs, raw, see `outputKey`;
 * - per objective `map/…`: uint8, N×H×W×3 or N×H×W; `statistics/…`: N×3 (mean, std, max |g|);
 *   `magnitude/…`: N×28×28 of unit sum; `gradient/…`: N×3×H×W, RGB, or N×1×H×W for gray, degrees per unit of normalised
 *   input, on request.
 */
export const programNames = {
  pixels: 'pixels',
  labels: 'labels',
  angle: (angle: AngleName) => `angle/${angle}`,
  output: (output: string) => `output/${output}`,
  map: (objective: string) => `map/${objective}`,
  statistics: (objective: string) => `statistics/${objective}`,
  magnitude: (objective: string) => `magnitude/${objective}`,
  gradient: (objective: string) => `gradient/${objective}`,
  value: (objective: string) => `value/${objective}`,
}
