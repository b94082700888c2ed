import type { Picture } from './renderer.ts'

/**
 * Maps that no network had a part in: edges of the picture (Sobel on its grey values), and two bells that see nothing of
 * it, one around the head's centre, one around the picture's. A method that does not beat them has shown nothing.
 */
export function baselineMaps(picture: Picture): Record<string, Float32Array> {
  const { width, height, mask } = picture
  let [sumX, sumY, count] = [0, 0, 0]
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (mask[pixel] === 0) continue
    sumX += pixel % width
    sumY += Math.floor(pixel / width)
    count++
  }
  return {
    Sobel: sobel(picture),
    'bell on the head': bell(width, height, sumX / count, sumY / count),
    'bell in the middle': bell(width, height, (width - 1) / 2, (height - 1) / 2),
  }
}

/** Standard deviation: a quarter of the picture's shorter side. */
function bell(width: number, height: number, centreX: number, centreY: number): Float32Array {
  const deviation = Math.min(width, height) / 4
  return Float32Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [(pixel % width) - centreX, Math.floor(pixel / width) - centreY]
    return Math.exp(-(x * x + y * y) / (2 * deviation * deviation))
  })
}

function sobel({ width, height, pixels }: Picture): Float32Array {
  const grey = (x: number, y: number) => {
    const at = 3 * (Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x)))
    return pixels[at]! + pixels[at + 1]! + pixels[at + 2]!
  }
  return Float32Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    const rows = [-1, 0, 1].map((dy) => grey(x + 1, y + dy) - grey(x - 1, y + dy))
    const columns = [-1, 0, 1].map((dx) => grey(x + dx, y + 1) - grey(x + dx, y - 1))
    return Math.hypot(rows[0]! + 2 * rows[1]! + rows[2]!, columns[0]! + 2 * columns[1]! + columns[2]!)
  })
}
