import { render } from 'preact'
import { useRef } from 'preact/hooks'
import { addresses } from '../addresses.ts'
import { followLinks, href, usePlace } from './navigation.ts'
import { screenAt } from './screens.ts'
import { NothingScreen } from './screens/nothing.tsx'
import { useArrival } from './useArrival.ts'

function App() {
  const place = usePlace()
  const found = screenAt(place.path)
  const main = useRef<HTMLElement>(null)
  useArrival(main, place)
  return (
    <>
      <nav class="app" aria-label="headlight">
        <a href={href(addresses.sets())}>headlight</a>
        <a href={href(addresses.live())}>live</a>
      </nav>
      <main ref={main}>
        {found === undefined ? (
          <NothingScreen />
        ) : (
          <found.screen key={place.visit} place={place} set={found.set} run={found.run} />
        )}
      </main>
    </>
  )
}

const root = document.getElementById('app')
if (root !== null) {
  followLinks()
  render(<App />, root)
}
