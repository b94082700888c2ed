import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { readNpy, type NpyArray } from './npy.ts'

/** What PyTorch computed, see `conventions` in test/golden/index.json. */
const indexSchema = z.object({
  images: z.array(
    z.object({
      model: z.string(),
      id: z.string(),
      image: z.string(),
      angles_deg: z.object({ yaw: z.number(), pitch: z.number(), roll: z.number() }),
      /** By `<scope>/<objective>`. */
      grads: z.record(z.string(), z.object({ err_vs_f64: z.object({ rel_l2: z.number() }) })),
    }),
  ),
})

export type GoldenImage = z.infer<typeof indexSchema>['images'][number] & {
  readonly array: (name: string) => NpyArray | undefined
}

const here = new URL('../golden/', import.meta.url)

/**
 * Beside a clone there may be a folder of larger golden data (DenseNet-121) that is too big for the repository.
 * `checkpoints/` and `golden/` lie in it as they do below `test/`.
 */
const larger = new URL('../../../shared/', import.meta.url)

export const largerDataPresent = existsSync(new URL('golden/densenet121', larger))

export function goldenImages(model: 'tiny' | 'densenet121'): GoldenImage[] {
  const folder = model === 'tiny' ? here : new URL('golden/', larger)
  const index = indexSchema.parse(JSON.parse(readFileSync(new URL('index.json', here), 'utf8')))
  return index.images
    .filter((image) => image.model === model)
    .map((image) => ({
      ...image,
      array: (name: string) => {
        const found = [`${image.id}/${name}.npy`, `${image.id}/${name}.npy.gz`]
          .map((path) => new URL(path, folder))
          .find((url) => existsSync(url))
        return found && readNpy(found)
      },
    }))
    .filter((image) => image.array('logits') !== undefined)
}

export function checkpointBytes(file: string): Uint8Array {
  const url = new URL(`../checkpoints/${file}`, import.meta.url)
  return readFileSync(existsSync(url) ? url : new URL(`checkpoints/${file}`, larger))
}
