import type { Place } from '../navigation.ts'

export function LiveScreen({ place }: { readonly place: Place }) {
  return <h1 tabIndex={-1}>live {place.path}</h1>
}
