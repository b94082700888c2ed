/** The part of the style sheet that is about two tables beside each other. Worse is orange and better blue, as in the grid. */
export const compareStyle = `
svg .zero { stroke: var(--ink); stroke-width: 1; fill: none; }
svg .whisker { stroke-width: 2.2; fill: none; }
svg .worse { stroke: var(--d7); fill: var(--d7); }
svg .better { stroke: var(--d1); fill: var(--d1); }
svg .even { stroke: var(--quiet); fill: var(--quiet); }
svg .moved { stroke: var(--quiet); stroke-width: 1.6; fill: none; }
svg .side-a { fill: var(--panel); stroke: var(--ink); stroke-width: 1.6; }
svg .side-b { fill: var(--mark); stroke: var(--mark); stroke-width: 1.6; }
#difference .plots > figure { flex: 1 1 440px; }
#pose .grids:not(.wide) { grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
.plots figure .scroll.tall { max-height: none; }
.cards.changes { grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); margin-top: 14px; }
figure.side { margin: 8px 0 0; }
figure.side figcaption { font-size: 12.5px; font-weight: 650; margin-bottom: 2px; }
figure.side .tag { font-weight: 400; margin-left: 6px; }
`
