import { AngleDistribution } from '../../src/report/distribution.ts'
import type { PageContent } from '../../src/report/pageContent.ts'
import { emptySummary } from './emptySummary.ts'
import { resultSet } from './shard.ts'

/** What a report of a result set without a single image would show. */
export function emptyPage(): PageContent {
  return {
    set: resultSet('file:///d/', {}),
    summary: emptySummary,
    failures: [],
    unusableLabels: null,
    radianHint: null,
    hasAngles: true,
    distributions: { yaw: new AngleDistribution(), pitch: new AngleDistribution(), roll: new AngleDistribution() },
    aggregates: null,
    atlas: null,
    runs: [],
    samples: [],
    samplesLeftOut: 0,
    objectives: [],
    layout: { width: 1, height: 1, image: { x: 0, y: 0, width: 1, height: 1 }, objectives: [] },
  }
}
