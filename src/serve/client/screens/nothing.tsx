import { addresses } from '../../addresses.ts'
import { href } from '../navigation.ts'
import { useTitle } from '../useTitle.ts'

/** What an address shows that is none of the app's. */
export function NothingScreen() {
  useTitle('nothing here')
  return (
    <>
      <h1 tabIndex={-1}>There is nothing here</h1>
      <p>
        Everything can be reached from <a href={href(addresses.sets())}>the result sets</a>.
      </p>
    </>
  )
}
