/** Cells, groups and means of fewer images say little: they are hatched, stand out in nothing and choose no scale. */
export const fewImages = 20

/** Those with enough images, where there are such; else all. The chance of a few images is not to choose a scale. */
export function solid<T>(groups: readonly T[], imagesOf: (group: T) => number): readonly T[] {
  const enough = groups.filter((group) => imagesOf(group) >= fewImages)
  return enough.length === 0 ? groups : enough
}
