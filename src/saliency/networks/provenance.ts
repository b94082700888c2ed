/** Where a field of a description comes from. */
export type Provenance = 'default' | 'found in the weights' | 'given'
