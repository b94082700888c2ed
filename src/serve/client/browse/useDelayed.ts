import { useEffect, useRef } from 'preact/hooks'

/**
 * Calls `act` once nothing has changed in `changing` for `ms`, unless `isNeeded` is false. It is the `act` of the latest
 * render that is called: one of the time of typing would take back what was chosen elsewhere since then.
 */
export function useDelayed(changing: unknown, isNeeded: boolean, ms: number, act: () => void): void {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    if (!isNeeded) return
    const timer = setTimeout(() => latest.current(), ms)
    return () => clearTimeout(timer)
  }, [changing, isNeeded, ms])
}
