import type { Place } from '../navigation.ts'

export function SampleScreen({ place }: { readonly place: Place }) {
  return <h1 tabIndex={-1}>sample {place.path}</h1>
}
