/** Browsers place nothing beyond some 17 million pixels (Firefox) or 33 million (Chrome); this is well below either. */
export const tallestPixels = 8_000_000

/** A list that is taller than a browser can scroll, seen through a window of `view` pixels. */
export interface ScrollExtent {
  /** Height of all items, pixels. */
  readonly content: number
  readonly view: number
}

/** What the scrolled element is tall. */
export function scrolledHeight({ content }: ScrollExtent): number {
  return Math.min(content, tallestPixels)
}

/** Where the list stands for a position of the scroll bar. */
export function contentTopAt(scrollTop: number, extent: ScrollExtent): number {
  const { reach, contentReach } = reaches(extent)
  return reach <= 0 ? 0 : clamp((scrollTop / reach) * contentReach, extent)
}

/** The position of the scroll bar at which the list stands there. */
export function scrollTopAt(contentTop: number, extent: ScrollExtent): number {
  const { reach, contentReach } = reaches(extent)
  return contentReach <= 0 ? 0 : (contentTop / contentReach) * reach
}

/**
 * Where the list stands after the scroll bar has moved. A small move, of a wheel or a finger, moves the list by as many
 * pixels, however much the bar stands for; a large one, of the bar itself, goes to the share of the list that it shows.
 */
export function movedTo(contentTop: number, before: number, after: number, extent: ScrollExtent): number {
  if (extent.content <= tallestPixels) return clamp(after, extent)
  const isSmall = Math.abs(after - before) < 3 * extent.view
  return isSmall ? clamp(contentTop + after - before, extent) : contentTopAt(after, extent)
}

function reaches(extent: ScrollExtent): { reach: number; contentReach: number } {
  return { reach: scrolledHeight(extent) - extent.view, contentReach: extent.content - extent.view }
}

function clamp(contentTop: number, { content, view }: ScrollExtent): number {
  return Math.max(0, Math.min(contentTop, content - view))
}
