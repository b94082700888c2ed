/** Of the atlas alone; the colours are the page's. */
export const atlasStyle = `
.atlas { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px 16px; margin-top: 14px; }
.atlas .controls { margin: 0 0 12px; }
.choice { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; min-width: 0; }
.choice legend { padding: 0 0 3px; font-size: 13px; color: var(--quiet); }
.controls .choice label { display: block; color: var(--ink); font-size: 14px; }
.controls .choice span { display: block; border: 1px solid var(--line); padding: 6px 11px; min-height: 36px; margin-left: -1px; cursor: pointer; }
.controls .choice label:first-of-type span { border-radius: 6px 0 0 6px; margin-left: 0; }
.controls .choice label:last-of-type span { border-radius: 0 6px 6px 0; }
.choice input { position: absolute; width: 1px; height: 1px; min-height: 0; padding: 0; margin: 0; opacity: 0; }
.controls .choice input:checked + span { background: var(--soft); border-color: var(--mark); position: relative; font-weight: 600; }
.controls .choice input:focus-visible + span { outline: 2px solid var(--mark); outline-offset: 2px; position: relative; }
#atlas-blink[aria-pressed=true] { background: var(--soft); border-color: var(--mark); font-weight: 600; }
.atlas-body { display: flex; flex-wrap: wrap; gap: 14px 26px; align-items: flex-start; }
.atlas-body > .scroll { flex: 0 1 auto; min-width: 0; max-width: 100%; }
svg.atlas-svg { width: auto; max-width: 100%; }
svg.atlas-svg.middling { min-width: 560px; }
svg.atlas-svg.wide { min-width: 1000px; }
.atlas-svg text { font-size: 11px; }
.atlas-svg .title { font-size: 14px; font-weight: 600; fill: var(--ink); }
.atlas-svg .name { font-size: 11.5px; }
.atlas-svg .zero { stroke: var(--quiet); stroke-width: 1.2; fill: none; }
.atlas-svg .bar { display: none; opacity: 1; }
.atlas-svg[data-view=mean] .of-mean, .atlas-svg[data-view=difference] .of-difference, .atlas-svg[data-view=input] .of-input { display: inline; }
.atlas-svg .swatch { fill: #33363c; }
.atlas-svg .cell { cursor: pointer; outline: none; }
.atlas-svg .n { font-size: 11px; font-weight: 600; fill: #fff; stroke: #000; stroke-opacity: 0.75; stroke-width: 2.6px; paint-order: stroke; stroke-linejoin: round; }
/* A wide grid is drawn at half its size, and so is its text. */
.atlas-svg.wide text { font-size: 16px; }
.atlas-svg.wide .n { font-size: 14px; }
.atlas-svg.wide .title { font-size: 20px; }
.atlas-svg .hatch { fill: none; stroke: #fff; stroke-opacity: 0.55; stroke-width: 1.6; }
.atlas-svg .hatch.rim { stroke: #000; stroke-opacity: 0.4; stroke-width: 3.4; }
.atlas-svg .cell:not(.sparse) .hatch { display: none; }
.atlas-svg .frame { fill: none; stroke: none; pointer-events: all; }
.atlas-svg .cell:hover .frame { stroke: var(--quiet); stroke-width: 2; }
.atlas-svg .cell.chosen .frame { stroke: var(--mark); stroke-width: 3; }
.atlas-svg .cell:focus-visible .frame { stroke: var(--mark); stroke-width: 4; }
.atlas-side { display: flex; flex-wrap: wrap; gap: 16px; flex: 1 1 230px; max-width: 520px; padding-top: 30px; }
.atlas-side.row { max-width: none; padding-top: 6px; }
.atlas-side figure { margin: 0; width: 232px; max-width: 100%; }
.atlas-tile { border-radius: 4px; background: var(--soft); }
.atlas-side figcaption { font-size: 13px; color: var(--quiet); margin-top: 6px; }
.atlas-side figcaption table { width: 100%; margin-top: 4px; }
.atlas-side figcaption table :is(th, td) { padding: 2px 0 2px 8px; text-align: right; }
.atlas-side figcaption table :is(th, td):first-child { text-align: left; padding-left: 0; }
#atlas-cell { display: block; color: var(--ink); font-weight: 600; }
@media (max-width: 560px) {
  .atlas { padding: 10px; }
  .atlas-svg.middling :is(text, .n):not(.title) { font-size: 13.5px; }
  .choice { gap: 6px; }
  .controls .choice label:nth-of-type(n) span { border-radius: 6px; margin-left: 0; }
  .atlas-side { padding-top: 0; gap: 12px; flex-basis: 100%; }
  .atlas-side figure { width: calc(50% - 6px); }
}
`
