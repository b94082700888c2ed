import { useEffect, useState } from 'preact/hooks'
import { addresses } from '../../addresses.ts'
import type { LiveRun } from '../../wire.ts'
import { cardPicture } from '../browse/rowCard.tsx'
import { Picture } from '../parts/picture.tsx'

/** Pictures that change faster cannot be looked at, and each costs the store two reads. */
const changeMs = 10_000

/** The last images of a run with their maps. They stand still for readers who want less motion, until they let them change. */
export function LatestMaps({ run }: { readonly run: LiveRun }) {
  const [isMoving, setMoving] = useState(() => !matchMedia('(prefers-reduced-motion: reduce)').matches)
  const [shown, setShown] = useState({ keys: run.latest, atMs: performance.now() })
  useEffect(() => {
    const isEmpty = shown.keys.length === 0
    const isDue = isMoving && performance.now() - shown.atMs >= changeMs
    if ((isEmpty && run.latest.length > 0) || isDue) setShown({ keys: run.latest, atMs: performance.now() })
  }, [run.latest, isMoving])
  if (shown.keys.length === 0) return <p class="quiet">No maps yet.</p>
  return (
    <>
      <h3>Latest maps of {run.objective}</h3>
      <label class="moving">
        <input type="checkbox" checked={isMoving} onChange={(event) => setMoving(event.currentTarget.checked)} />
        update every {changeMs / 1000} s
      </label>
      <ul class="cards latest">
        {shown.keys.map((key) => (
          <li key={key} class="card">
            <Picture
              address={addresses.livePicture(run.set, run.run, key)}
              alt={`image, map of ${run.objective} and overlay`}
              {...cardPicture}
              isLazy
            />
            <p class="key">
              <bdi>{key}</bdi>
            </p>
          </li>
        ))}
      </ul>
    </>
  )
}
