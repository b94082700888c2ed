/** Browsers place nothing beyond some 17 million pixels (Firefox) or 33 million (Chrome); this is well below either. */
export const tallestPixels = 8_000_000

/**
 * At both ends of a list that is too tall, so many pixels of the scroll bar stand for as many of the list. One scale from end
 * to end would be shorter, but a wheel that turns back to the beginning would run out of bar long before it is there.
 */
export const exactPixels = 100_000

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
  if (reach <= 0) return 0
  return clamp(converted(scrollTop, reach, contentReach), extent)
}

/** The position of the scroll bar at which the list stands there. */
export function scrollTopAt(contentTop: number, extent: ScrollExtent): number {
  const { reach, contentReach } = reaches(extent)
  return contentReach <= 0 ? 0 : converted(clamp(contentTop, extent), contentReach, reach)
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

/** A place on one of two scales, which are alike at both ends, on the other one. */
function converted(place: number, reach: number, otherReach: number): number {
  const exact = Math.min(exactPixels, reach / 2, otherReach / 2)
  if (place <= exact) return place
  if (place >= reach - exact) return otherReach - (reach - place)
  return exact + ((place - exact) / (reach - 2 * exact)) * (otherReach - 2 * exact)
}

function reaches(extent: ScrollExtent): { reach: number; contentReach: number } {
  return { reach: scrolledHeight(extent) - extent.view, contentReach: extent.content - extent.view }
}

function clamp(contentTop: number, { content, view }: ScrollExtent): number {
  return Math.max(0, Math.min(contentTop, content - view))
}
