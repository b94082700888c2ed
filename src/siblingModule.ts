/** URL of a sibling module to run in a child process or thread: `.js` when built, `.ts` when run from the sources. */
export function siblingModule(of: string, name: string): URL {
  return new URL(`./${name}${of.slice(of.lastIndexOf('.'))}`, of)
}
