import type { Explainer } from './explainer.ts'

/** Larger ones no longer gain on any device that was measured, and every image waits for the rest of its batch. */
const batches = [32, 16, 8, 4, 2] as const

/**
 * Opens an explainer with the largest batch that its device's memory holds. By memory and not by a clock, so that equal
 * devices choose equally: results are the same bytes only for one batch. Raises what a batch of one raises.
 */
export async function openWithinMemory(open: (batch: number) => Promise<Explainer>): Promise<Explainer> {
  for (const batch of batches) {
    let explainer: Explainer | undefined
    try {
      explainer = await open(batch)
      // Memory is taken when the device computes, not when the network is loaded.
      await explainer.explain([new Uint8Array(explainer.imageBytes)])
      return explainer
    } catch {
      await explainer?.dispose().catch(() => undefined)
    }
  }
  return open(1)
}
