/** Cells, groups and means of fewer images say little: they are hatched, stand out in nothing and choose no scale. */
export const fewImages = 20
