import { render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { addresses } from '../addresses.ts'
import { followLinks, href, usePlace } from './navigation.ts'
import { screenAt } from './screens.ts'

function App() {
  const place = usePlace()
  const found = screenAt(place.path)
  useEffect(() => {
    if (found === undefined) document.title = 'nothing here – headlight'
  }, [found])
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  useEffect(() => {
    // A screen that was come to by a link begins where a loaded page would: at its heading, for eyes and for screen readers.
    if (!isFirst.current) main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
    isFirst.current = false
  }, [place.path])
  return (
    <>
      <nav class="app" aria-label="headlight">
        <a href={href(addresses.sets())}>headlight</a>
        <a href={href(addresses.live())}>live</a>
      </nav>
      <main ref={main}>
        {found === undefined ? (
          <>
            <h1 tabIndex={-1}>There is nothing here</h1>
            <p>
              <a href={href(addresses.sets())}>The result sets</a> lead to all there is.
            </p>
          </>
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
