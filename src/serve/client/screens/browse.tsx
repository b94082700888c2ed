import type { Place } from '../navigation.ts'

export function BrowseScreen({ place }: { readonly place: Place }) {
  return <h1 tabIndex={-1}>browse {place.path}</h1>
}
