import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** Absolute path of the first executable file `name` in the folders of `searchPath` (as in PATH), else null. */
export function findExecutable(name: string, searchPath: string): string | null {
  for (const folder of searchPath.split(delimiter)) {
    // A relative entry would make what is run depend on where the user happens to stand.
    if (!isAbsolute(folder)) continue
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {
      // Not here.
    }
  }
  return null
}
