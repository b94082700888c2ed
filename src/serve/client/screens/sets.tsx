import type { Place } from '../navigation.ts'

export function SetsScreen({ place }: { readonly place: Place }) {
  return <h1 tabIndex={-1}>sets {place.path}</h1>
}
