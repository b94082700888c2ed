/** The part of the style sheet that is about charts over the whole dataset and their tables. */
export const chartStyle = `
svg.own { width: auto; max-width: 100%; margin: 0 auto; }
.panel .scroll > svg.own { max-width: none; }
svg.own text { font-size: 11px; }
svg.own .numbers text { font-size: 9.5px; text-anchor: middle; font-variant-numeric: tabular-nums; }
svg.own .numbers.large text { font-size: 13px; font-weight: 600; }
svg .centre { stroke: var(--ink); stroke-opacity: 0.45; stroke-width: 0.8; stroke-dasharray: 2 3; fill: none; pointer-events: none; }
svg path.line { fill: none; stroke-width: 1.8; }
svg path.line.faint { stroke-width: 1.2; stroke-opacity: 0.55; }
svg path.hollow { fill: var(--panel); stroke-width: 1.4; }
/* A rim, since a line may run behind the number. */
svg text.value { fill: var(--ink); stroke: var(--panel); stroke-width: 3px; paint-order: stroke; }
svg path.out { fill: var(--alarm); stroke: var(--panel); stroke-width: 0.8; }
svg text.out { fill: var(--alarm); font-weight: 650; }
svg .state { fill: none; stroke: var(--quiet); stroke-width: 1.8; stroke-linecap: round; }
svg .own-error { fill: none; stroke: var(--mark); stroke-width: 6; stroke-linecap: round; }
svg .rug { fill: none; stroke: var(--mark); stroke-width: 2; stroke-opacity: 0.6; }
svg .stem { fill: none; stroke: var(--mark); stroke-width: 1.2; }
svg .failed { fill: none; stroke: var(--alarm); stroke-width: 1.6; }
svg .hit { fill: transparent; }
svg .hit:hover { fill: var(--ink); fill-opacity: 0.06; }
:root { --alarm: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --alarm: #ff8a7a; } }

@media (max-width: 560px) {
  svg.broad text { font-size: 14px; }
  svg.broad .numbers.large text { font-size: 16px; }
}

figure { margin: 0; }
.charts figure { max-width: 500px; }
h3.part { margin: 22px 0 6px; }
.grids { display: grid; gap: 16px; margin: 16px 0; }
.plots { gap: 16px; margin: 16px 0; display: flex; flex-wrap: wrap; align-items: stretch; }
.plots > * { min-width: 0; max-width: 100%; flex: 1 1 auto; }
.plots > .side { flex: 1 1 400px; }
.plots h3, .grids h3, .panel h3 { text-transform: none; }
.grids { grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); }
.grids.wide { grid-template-columns: repeat(auto-fit, minmax(min(100%, 450px), 1fr)); }
.plots figure, .grids figure, figure.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 14px; min-width: 0; }
.grids figure { padding: 12px 8px; }
.grids h3 { padding-left: 6px; }
.scale { display: flex; flex-wrap: wrap; align-items: center; gap: 4px; font-size: 12.5px; max-width: none; }
.scale span { color: var(--quiet); margin-right: 8px; }
.scale > i { font-style: normal; padding: 3px 8px; border: 1px solid var(--line); border-radius: 3px; font-variant-numeric: tabular-nums; }
.scale i.few { display: inline-block; width: 22px; height: 14px; border: 1px solid var(--line); vertical-align: -2px; margin-left: 8px; }

details { margin: 10px 0; }
summary { cursor: pointer; color: var(--mark); font-size: 14px; }
.scroll.tall { max-height: min(70vh, 460px); overflow: auto; }
table.numbers { font-size: 13px; }
table.numbers :is(th, td) { text-align: right; padding: 4px 14px 4px 0; white-space: nowrap; }
table.numbers th.key { white-space: normal; min-width: 12ch; max-width: 40ch; }
table.numbers :is(th, td).text { text-align: left; }
table.numbers thead th { position: sticky; top: 0; background: var(--ground); vertical-align: bottom; }
figure table.numbers thead th { background: var(--panel); }
table.numbers td.out { color: var(--alarm); font-weight: 650; }
table.numbers thead button { padding: 2px 6px; min-height: 28px; font-size: 12.5px; text-align: inherit; background: none; border-color: transparent; white-space: nowrap; }
table.numbers thead button::after { content: ' ↕'; opacity: 0.5; }
table.numbers th[aria-sort='ascending'] button::after { content: ' ▲'; opacity: 1; }
table.numbers th[aria-sort='descending'] button::after { content: ' ▼'; opacity: 1; }
`
