import { atlasRoute } from './routes/atlas.ts'
import { compareRoute } from './routes/compare.ts'
import { csvRoute } from './routes/csv.ts'
import { facetsRoute } from './routes/facets.ts'
import { liveRoute } from './routes/live.ts'
import { livePictureRoute } from './routes/livePicture.ts'
import { pictureRoute } from './routes/picture.ts'
import type { Route } from './routes/route.ts'
import { rowsRoute } from './routes/rows.ts'
import { runsRoute } from './routes/runs.ts'
import { sampleRoute } from './routes/sample.ts'
import { setRoute } from './routes/set.ts'
import { setsRoute } from './routes/sets.ts'
import { stateRoute } from './routes/state.ts'

/** Everything that the app asks for. */
export const routes: readonly Route[] = [
  setsRoute,
  setRoute,
  runsRoute,
  stateRoute,
  atlasRoute,
  rowsRoute,
  facetsRoute,
  csvRoute,
  sampleRoute,
  pictureRoute,
  compareRoute,
  liveRoute,
  livePictureRoute,
]
