import { PlaceError } from '../base/errors.ts'
import type { Explainer } from './explainer.ts'

/** Larger ones hardly gain any more, and every image waits for the rest of its batch. */
const batches = [32, 16, 8, 4, 2] as const

/** No GPU takes so long for an image, and a driver in software does; nothing in between is worth telling apart. */
const slowImageMs = 5_000

export interface BatchSearch {
  /** Larger ones are not tried: one of them ended the process before. */
  readonly largest: number
  /** Whether the device may be a driver in software, on which a batch gains nothing and takes minutes. */
  readonly mayBeSoftware: boolean
  /** Called before a batch of more than one is tried. */
  readonly onTry: (batch: number) => void
  /** Milliseconds. */
  readonly now: () => number
}

/**
 * Opens an explainer with the largest batch that its device's memory holds. By memory and not by a clock, so that equal
 * devices choose equally: results are the same bytes only for one batch. Raises what a batch of one raises.
 */
export async function openWithinMemory(
  open: (batch: number) => Promise<Explainer>,
  { largest, mayBeSoftware, onTry, now }: BatchSearch,
): Promise<Explainer> {
  if (mayBeSoftware) {
    const single = await openComputed(open, 1)
    const startedAt = now()
    await isBlackFinite(single)
    if (now() - startedAt > slowImageMs) return single
    await single.dispose()
  }
  for (const batch of batches.filter((size) => size <= largest)) {
    onTry(batch)
    try {
      // Memory is taken when the device computes, not when the network is loaded.
      const { explainer, isFinite } = await openAndCompute(open, batch)
      // Out of memory is what some drivers say so.
      if (isFinite) return explainer
      await explainer.dispose()
    } catch (error) {
      // Whatever else is wrong is wrong with any batch.
      if (!(error instanceof PlaceError)) throw error
    }
  }
  return openComputed(open, 1)
}

/** Opens an explainer and computes one batch of black images, for which a GPU's library compiles what it needs. */
export async function openComputed(open: (batch: number) => Promise<Explainer>, batch: number): Promise<Explainer> {
  return (await openAndCompute(open, batch)).explainer
}

async function openAndCompute(
  open: (batch: number) => Promise<Explainer>,
  batch: number,
): Promise<{ explainer: Explainer; isFinite: boolean }> {
  const explainer = await open(batch)
  try {
    return { explainer, isFinite: await isBlackFinite(explainer) }
  } catch (error) {
    await explainer.dispose().catch(() => undefined)
    throw error
  }
}

/** There may be a network that gives NaN for a black picture in any batch, and is right for all others. */
async function isBlackFinite(explainer: Explainer): Promise<boolean> {
  const explained = await explainer.explainEach([new Uint8Array(explainer.imageBytes)])
  return explained.every((one) => !('notFinite' in one))
}
