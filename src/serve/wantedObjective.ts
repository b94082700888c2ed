/** The objective that was asked for, where there is such a one; else the first; null where there is none at all. */
export function wantedObjective(objectives: readonly string[], wanted: string | null): string | null {
  return wanted !== null && objectives.includes(wanted) ? wanted : (objectives[0] ?? null)
}
