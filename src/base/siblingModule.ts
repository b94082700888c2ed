/**
 * URL of a module to run in a child process or thread: `.js` when built, `.ts` when run from the sources. `path` is seen
 * from the module `of` and has no suffix, as in `../unit/unit`.
 */
export function siblingModule(of: string, path: string): URL {
  return new URL(`${path}${of.slice(of.lastIndexOf('.'))}`, of)
}
