import type { ComparedTable } from '../../report/compare/comparedTable.ts'
import type { Comparison } from '../../report/compare/comparison.ts'
import { commonObjectives } from '../../report/compare/mapComparison.ts'
import {
  comparisonFigures,
  comparisonSections,
  comparisonSides,
  comparisonTitle,
} from '../../report/compare/page/comparePage.ts'
import { bandsFigure, differsOverPose, poseText } from '../../report/compare/page/pagePose.ts'
import type { MapFate } from '../../report/compare/standingMaps.ts'
import { inputSize } from '../pictures/inputSize.ts'
import type { ComparedSide, CompareReply } from '../wire.ts'

/**
 * What the app shows of a comparison: the page's own parts, and the images that changed most for the browser to lay out.
 *
 * @param fates by key of `comparison.largest`
 */
export function compareReply(
  a: ComparedTable,
  b: ComparedTable,
  comparison: Comparison,
  fates: { readonly a: ReadonlyMap<string, MapFate>; readonly b: ReadonlyMap<string, MapFate> },
): CompareReply {
  return {
    title: comparisonTitle(comparison),
    sides: comparisonSides(comparison),
    figures: comparisonFigures(comparison),
    sections: comparisonSections(comparison, { pose: '', changes: '' }).filter(({ html }) => html !== ''),
    pose: differsOverPose(comparison)
      ? { text: poseText(comparison), bands: bandsFigure(comparison), cells: comparison.cells }
      : null,
    a: sideOf(a),
    b: sideOf(b),
    objectives: commonObjectives(a, b),
    largestBy: comparison.largestBy,
    largest: comparison.largest.map((change) => ({
      ...change,
      fates: { a: fates.a.get(change.key) ?? 'unknown', b: fates.b.get(change.key) ?? 'unknown' },
    })),
  }
}

function sideOf({ set, run, stateRun }: ComparedTable): ComparedSide {
  return { set: set.id, run, stateRun: stateRun ?? run, inputSize: inputSize(set) }
}
