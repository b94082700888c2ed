import { overlayColours } from '../image/overlay.ts'

const overlayStops = overlayColours.map(([r, g, b]) => `rgb(${r} ${g} ${b})`).join(', ')

/** The page's whole style sheet. Light and dark by the reader's own setting; no font or picture from elsewhere. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f7f7f5; --panel: #ffffff; --ink: #1d2126; --quiet: #5d6570; --line: #dfe0dc; --mark: #2c62b8;
  --soft: #eef1f6; --caution: #8a4b08; --caution-ground: #fdf5e7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131519; --panel: #1a1d23; --ink: #e4e6e9; --quiet: #98a0ab; --line: #2d323a; --mark: #86aef2;
    --soft: #222730; --caution: #e5b25e; --caution-ground: #272115;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main, header, footer { max-width: 1200px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; }
footer { padding-top: 12px; padding-bottom: 40px; color: var(--quiet); font-size: 13px; }
h1 { font-size: 26px; line-height: 1.25; margin: 4px 0 2px; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 40px 0 10px; font-weight: 650; }
h3 { font-size: 15px; margin: 0 0 6px; font-weight: 650; text-transform: capitalize; }
p { margin: 6px 0; max-width: 78ch; }
a { color: var(--mark); }
.kicker, .under { color: var(--quiet); font-size: 13.5px; margin: 0; max-width: none; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
code, .key { font: 12.5px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
nav.sections { margin: 14px 0 0; display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 14px; }

.figures { display: flex; flex-wrap: wrap; gap: 1px; margin: 22px 0 0; padding: 0;
  background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.figures div { flex: 1 1 130px; background: var(--panel); padding: 12px 16px; }
.figures dt { color: var(--quiet); font-size: 13px; }
.figures dd { margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures dd small { display: block; font-size: 13px; font-weight: 400; color: var(--quiet); }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--quiet); font-weight: 500; font-size: 13px; }
td.number, th.number { text-align: right; }
tbody th { font-weight: 500; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(270px, 1fr)); gap: 16px; margin-top: 16px; }
.charts figure { margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 14px 14px 8px; }
svg { display: block; width: 100%; height: auto; }
figure svg + svg { margin-top: 8px; }
svg text { font: 10px system-ui, sans-serif; fill: var(--quiet); }
svg .name { font-size: 10.5px; }
svg .grid { stroke: var(--line); stroke-width: 0.7; fill: none; }
svg .axis { stroke: var(--quiet); stroke-width: 0.8; fill: none; }
svg .diagonal { stroke: var(--quiet); stroke-width: 0.9; stroke-dasharray: 3 3; fill: none; }
svg .dots { stroke: var(--mark); stroke-linecap: round; fill: none; }
svg .dots.large { stroke-width: 4; opacity: 0.75; }
svg .dots.small { stroke-width: 2.4; opacity: 0.65; }
svg .cells, svg .bar { fill: var(--mark); }
svg .bar { opacity: 0.85; }

.note { background: var(--caution-ground); border-left: 3px solid var(--caution); padding: 10px 14px; margin: 12px 0; max-width: 86ch; border-radius: 0 6px 6px 0; }
.note p { margin: 4px 0; max-width: none; }
.note ul { margin: 4px 0; padding-left: 20px; }

.legend { display: flex; align-items: center; gap: 8px; font-size: 13px; color: var(--quiet); margin: 10px 0; flex-wrap: wrap; }
.legend i { width: 160px; height: 12px; border-radius: 3px; border: 1px solid var(--line); background: linear-gradient(to right, ${overlayStops}); }

.controls { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: end; margin: 14px 0; }
[hidden] { display: none !important; }
.controls label { display: grid; gap: 3px; font-size: 13px; color: var(--quiet); }
select, input, button { font: inherit; font-size: 14px; color: var(--ink); background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: 6px 10px; min-height: 36px; }
input { width: 200px; max-width: 100%; }
button { cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--mark); }
button:disabled { color: var(--quiet); opacity: 0.55; cursor: default; }
#found { margin: 0 0 8px; }
.pager { display: flex; gap: 8px; align-items: center; margin-left: auto; }
.pager span { min-width: 10ch; text-align: center; color: var(--quiet); font-size: 14px; font-variant-numeric: tabular-nums; }
.pager.low { justify-content: flex-end; margin: 16px 0 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 14px; list-style: none; padding: 0; margin: 0; }
.cards.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 540px), 1fr)); }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 10px; min-width: 0; }
.card button.open { display: block; width: 100%; padding: 0; border: 0; background: none; border-radius: 4px; min-height: 0; cursor: zoom-in; }
.card img, dialog img { display: block; width: 100%; height: auto; border-radius: 3px; }
.card .key { margin: 8px 0 6px; max-width: none; }
.tag { display: inline-block; font: 11.5px system-ui, sans-serif; color: var(--quiet); background: var(--soft); border-radius: 4px; padding: 1px 6px; margin: 4px 4px 0 0; }
.tag.caution { color: var(--caution); background: var(--caution-ground); }
.answer { font-size: 13px; margin: 6px 0 0; }
table.angles { width: 100%; table-layout: fixed; font-size: 13px; }
table.angles th, table.angles td { padding: 2px 0 2px 8px; border: 0; text-align: right; }
table.angles th:first-child { text-align: left; padding-left: 0; }
table.angles thead th { font-size: 12px; }
table.angles tbody tr:last-child > * { border-bottom: 0; }
.empty { color: var(--quiet); padding: 30px 0; }

dialog { width: min(1080px, 94vw); border: 1px solid var(--line); border-radius: 10px; background: var(--panel); color: var(--ink); padding: 16px; }
dialog::backdrop { background: rgb(0 0 0 / 0.55); }
dialog .bar { display: flex; gap: 8px; justify-content: space-between; align-items: start; margin-bottom: 10px; }
dialog .bar div { display: flex; gap: 8px; flex: none; }
dialog table.angles { width: auto; margin-top: 10px; }
dialog .links { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 14px; margin-top: 10px; }

dl.facts { display: grid; grid-template-columns: minmax(110px, max-content) 1fr; gap: 6px 20px; margin: 0; }
dl.facts dt { color: var(--quiet); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 560px) {
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: 8px; }
  .pager { margin-left: 0; } header { padding-top: 22px; }
}
@media print { .controls, .pager, nav.sections { display: none; } }
`
