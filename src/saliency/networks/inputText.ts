import type { InputDescription } from './description.ts'

/** How an image is brought to the input's size, for people. */
export function resizeText({ resize, resizeTo, width, height }: InputDescription): string {
  if (resize === 'letterbox') return 'the whole of it, as large as fits, on black'
  const cut = ', then the centre is cut out'
  if (resize === 'shorter-side') return `shorter side to ${resizeTo ?? 'the size'}${cut}`
  return resizeTo === undefined ? `stretched to ${width} × ${height}` : `stretched to ${resizeTo} × ${resizeTo}${cut}`
}

/** `RGB`, `BGR`, `gray`. */
export function channelsText({ channels }: InputDescription): string {
  return channels === 'gray' ? channels : channels.toUpperCase()
}
