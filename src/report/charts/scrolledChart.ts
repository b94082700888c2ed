/** A chart that scrolls in its own box where the page is narrower, since its text shrunk could not be read. */
export function scrolledChart(svg: string, name: string): string {
  return `<div class="scroll" tabindex="0" role="group" aria-label="${name}">${svg}</div>`
}
