import { createRequire } from 'node:module'

/**
 * @tensorflow/tfjs-node-gpu 4.22, the newest there is, calls `util.isNullOrUndefined` and `util.isArray`, which Node 23
 * removed and Node 22 warns of. This puts plain ones in their place for the process; call it before the package is loaded. Nothing else of headlight may use
 * them, and it goes when the package no longer needs it.
 */
export function restoreRemovedNodeUtil(): void {
  // The module object that `require` gives is the one that the package sees; an ES module's namespace cannot be changed.
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>
  util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined
  util['isArray'] = Array.isArray
}
