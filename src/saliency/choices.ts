// Words that options are made of, apart from what they do: every command knows its options, and only one that computes has
// a use for the graph.

/** Which ReLUs are guided. `stem` is what the origin's script does: it hooks only the first. */
export const scopes = ['all', 'stem', 'none'] as const
export type Scope = (typeof scopes)[number]

/** How a gradient becomes a picture. */
export const mapStyles = ['origin', 'magnitude'] as const
export type MapStyle = (typeof mapStyles)[number]

/** How gradients themselves are stored, if at all. */
export const gradientChoices = ['none', 'float16', 'float32'] as const
