import { rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * In the folder for engines; laid out as that itself, so that what is made there can be tried there. What is installed
 * stays until another one has taken its place.
 */
const workshop = 'unfinished'

/** The folder for engines while one is made. */
export function workshopOf(enginesFolder: string): string {
  return join(enginesFolder, workshop)
}

/** Puts what was made in the workshop, a folder of this name, in the place of what was installed. */
export async function moveIn(name: string, enginesFolder: string): Promise<void> {
  await rm(join(enginesFolder, name), { recursive: true, force: true })
  await rename(join(workshopOf(enginesFolder), name), join(enginesFolder, name))
  await clearWorkshop(name, enginesFolder)
}

/** Takes away what is left there under this name. */
export async function clearWorkshop(name: string, enginesFolder: string): Promise<void> {
  await rm(join(workshopOf(enginesFolder), name), { recursive: true, force: true })
  // Another engine may have been begun there and be gone on with: then it stays.
  await rmdir(workshopOf(enginesFolder)).catch(() => undefined)
}
