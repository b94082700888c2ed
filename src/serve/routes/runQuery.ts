import { z } from 'zod'

/** A run's id out of an address: it becomes part of a key, so nothing that could lead elsewhere is let in. */
export const runId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,79}$/, 'no run has such an id')

/** Absent: the state now. */
export const runQuery = z.strictObject({ run: runId.optional() })
