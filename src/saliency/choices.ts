// Words that options are made of, apart from what they do: every command knows its options, and only one that computes has
// a use for the graph.

/** Which activations are guided. `stem` is what the origin's script does: it hooks only the first. */
export const scopes = ['all', 'stem', 'none'] as const
export type Scope = (typeof scopes)[number]

/** Whether a ReLU6 is guided or keeps its plain gradient: tools disagree, so it is said. */
export const relu6Rules = ['guided', 'plain'] as const
export type Relu6Rule = (typeof relu6Rules)[number]

/** How a gradient becomes a picture. */
export const mapStyles = ['origin', 'magnitude'] as const
export type MapStyle = (typeof mapStyles)[number]

/** How gradients themselves are stored, if at all. */
export const gradientChoices = ['none', 'float16', 'float32'] as const
