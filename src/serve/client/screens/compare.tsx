import type { Place } from '../navigation.ts'

export function CompareScreen({ place }: { readonly place: Place }) {
  return <h1 tabIndex={-1}>compare {place.path}</h1>
}
