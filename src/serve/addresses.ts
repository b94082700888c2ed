import { writeSelection, type Selection } from './selection.ts'

/** What a picture shows: all of a card side by side, or one thing at its own size. */
export const pictureKinds = ['card', 'image', 'input', 'map', 'overlay'] as const
export type PictureKind = (typeof pictureKinds)[number]

/** How the browse screen shows its rows. */
export interface BrowseView {
  readonly as: 'cards' | 'table'
  /** The objective whose maps the cards show; null: the first. */
  readonly objective: string | null
  /** Position of the first row in sight, from 0. */
  readonly at: number
}

type Parameters = readonly (readonly [name: string, value: string])[]

/**
 * Paths of the screens, and of what they fetch, below the base path. Keys of images go into parameters: a path would lose
 * their slashes and dots. `run` null: the state now.
 */
export const addresses = {
  sets: () => '/',
  set: (set: string, run: string | null = null) => withParameters(`/sets/${part(set)}`, ofRun(run)),
  browse: (set: string, run: string | null, selection: Selection, view: Partial<BrowseView> = {}) =>
    withParameters(`/sets/${part(set)}/browse`, [...ofRun(run), ...writeSelection(selection), ...ofView(view)]),
  /** `selection` is what previous and next go through. */
  sample: (set: string, run: string, image: string, selection: Selection, objective: string | null = null) =>
    withParameters(`/sets/${part(set)}/runs/${part(run)}/sample`, [
      ['image', image],
      ...writeSelection(selection),
      ...ofView({ objective }),
    ]),
  /** Either side is SET or SET/RUN. `objective`: whose maps are shown; null: the first that both have. */
  compare: (a: string, b: string | null = null, objective: string | null = null) =>
    withParameters('/compare', [['a', a], ...(b === null ? [] : [['b', b] as const]), ...ofView({ objective })]),
  live: () => '/live',

  /** The API as the server knows it. */
  pattern: {
    sets: '/api/sets',
    state: '/api/sets/:set/state',
    set: '/api/sets/:set',
    runs: '/api/sets/:set/runs',
    atlas: '/api/sets/:set/atlas',
    facets: '/api/sets/:set/facets',
    rows: '/api/sets/:set/rows',
    csv: '/api/sets/:set/rows.csv',
    sample: '/api/sets/:set/sample',
    picture: '/api/sets/:set/picture',
    compare: '/api/compare',
    live: '/api/live',
    livePicture: '/api/sets/:set/live-picture',
  },
  setsReply: () => '/api/sets',
  stateReply: (set: string) => `/api/sets/${part(set)}/state`,
  setReply: (set: string, run: string | null) => withParameters(`/api/sets/${part(set)}`, ofRun(run)),
  runsReply: (set: string) => `/api/sets/${part(set)}/runs`,
  facetsReply: (set: string, run: string | null, selection: Selection) =>
    withParameters(`/api/sets/${part(set)}/facets`, [...ofRun(run), ...writeSelection(selection)]),
  rowsReply: (set: string, run: string | null, selection: Selection, from: number, count: number) =>
    withParameters(`/api/sets/${part(set)}/rows`, [
      ...ofRun(run),
      ...writeSelection(selection),
      ['from', String(from)],
      ['count', String(count)],
    ]),
  csv: (set: string, run: string | null, selection: Selection) =>
    withParameters(`/api/sets/${part(set)}/rows.csv`, [...ofRun(run), ...writeSelection(selection)]),
  sampleReply: (set: string, run: string, image: string, selection: Selection, objective: string | null) =>
    withParameters(`/api/sets/${part(set)}/sample`, [
      ['run', run],
      ['image', image],
      ...writeSelection(selection),
      ...ofView({ objective }),
    ]),
  picture: (set: string, run: string, image: string, show: PictureKind, objective: string | null = null) =>
    withParameters(`/api/sets/${part(set)}/picture`, [
      ['run', run],
      ['image', image],
      ['show', show],
      ...ofView({ objective }),
    ]),
  atlasPicture: (set: string, run: string, view: string, objective: string | null) =>
    withParameters(`/api/sets/${part(set)}/atlas`, [['run', run], ['view', view], ...ofView({ objective })]),
  compareReply: (a: string, b: string | null) =>
    withParameters('/api/compare', [['a', a], ...(b === null ? [] : [['b', b] as const])]),
  liveReply: () => '/api/live',
  /** A card of one of the images that a run at work has just computed: no table has it yet. */
  livePicture: (set: string, run: string, image: string) =>
    withParameters(`/api/sets/${part(set)}/live-picture`, [
      ['run', run],
      ['image', image],
    ]),
} as const

/** Reads what `addresses.browse` wrote of a view. */
export function readBrowseView(parameters: URLSearchParams): BrowseView {
  const at = Number(parameters.get('at') ?? '0')
  return {
    as: parameters.get('as') === 'table' ? 'table' : 'cards',
    objective: parameters.get('objective'),
    at: Number.isSafeInteger(at) && at > 0 ? at : 0,
  }
}

function ofRun(run: string | null): Parameters {
  return run === null ? [] : [['run', run]]
}

function ofView({ as = 'cards', objective = null, at = 0 }: Partial<BrowseView>): Parameters {
  return [
    ...(as === 'cards' ? [] : [['as', as] as const]),
    ...(objective === null ? [] : [['objective', objective] as const]),
    ...(at === 0 ? [] : [['at', String(at)] as const]),
  ]
}

function withParameters(path: string, parameters: Parameters): string {
  const query = new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value])).toString()
  return query === '' ? path : `${path}?${query}`
}

const part = encodeURIComponent
