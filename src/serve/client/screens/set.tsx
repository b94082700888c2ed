import type { Place } from '../navigation.ts'

export function SetScreen({ place }: { readonly place: Place }) {
  return <h1 tabIndex={-1}>set {place.path}</h1>
}
