import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../../../base/errors.ts'
import { lockFile } from '../../../base/fileLock.ts'
import { installCuda } from '../../../machine/cudaInstallation.ts'
import { engineFacts, engineStatuses, type EngineStatus } from '../../../machine/engineStatus.ts'
import { installTfjs } from '../../../machine/tfjsInstallation.ts'
import { workshopOf } from '../../../machine/workshop.ts'
import { installations, type InstallationName } from '../../../saliency/engines/openEngine.ts'
import type { Call } from '../../command.ts'

/** `headlight engine list`. */
export async function listEngines({ settings, surroundings, folders }: Call): Promise<number> {
  const engines = await engineStatuses(folders.engines, surroundings.environment)
  surroundings.results.write(settings.json ? `${JSON.stringify({ engines })}\n` : statusText(engines))
  return 0
}

/** `headlight engine install`. */
export async function installEngine(call: Call): Promise<number> {
  const { surroundings, flags, display } = call
  const enginesFolder = call.folders.engines
  const { environment } = surroundings
  const say = (line: string): void => display.write(line)
  const name = installationOf(call)
  const tensorflow = typeof flags['tensorflow'] === 'string' ? flags['tensorflow'] : undefined
  const cuda = flags['cuda'] === true
  if (name === 'cuda' && (cuda || tensorflow !== undefined)) {
    throw new InputError('bad-option', '--tensorflow and --cuda belong to: headlight engine install tfjs')
  }
  await alone(call, async () => {
    if (name === 'tfjs') await installTfjs({ enginesFolder, tensorflow, cuda, environment, say })
    else await installCuda({ enginesFolder, homeFolder: surroundings.homeFolder, environment, say })
  })
  return 0
}

/** `headlight engine remove`. */
export async function removeEngine(call: Call): Promise<number> {
  const { folder, engine } = installations[installationOf(call)]
  const engines = call.folders.engines
  const parts = [join(engines, folder), join(workshopOf(engines), folder)].filter((path) => existsSync(path))
  if (parts.length > 0) {
    await alone(call, async () => {
      for (const path of parts) await rm(path, { recursive: true, force: true })
    })
  }
  call.display.write(
    parts.length === 0 ? `${engine} is not installed in ${engines}` : `${engine} is removed: ${parts.join(', ')}`,
  )
  return 0
}

/** Two installations at once would take files from under each other. */
async function alone({ surroundings, folders }: Call, action: () => Promise<void>): Promise<void> {
  const folder = folders.engines
  const refused = (why: string, cause?: unknown) =>
    new InputError('bad-engine', `the folder for engines ${folder} ${why}`, { cause })
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw refused(`cannot be written (${String(error)}): choose another one with --engines-folder`, error)
  })
  const searchPath = surroundings.environment['PATH'] ?? '/usr/bin:/bin'
  const lock = await lockFile(join(folder, 'lock'), { kind: 'exclusive', waitMs: 0, searchPath }).catch(
    (error: unknown) => {
      throw refused('cannot be locked: it must be writable, and the program flock (util-linux) be there', error)
    },
  )
  if (lock === null) throw refused('is being changed by another headlight engine install or remove: wait for its end')
  try {
    await action()
  } finally {
    lock.release()
  }
}

function installationOf({ operands }: Call): InstallationName {
  const [name = ''] = operands
  if (name === 'tfjs' || name === 'cuda') return name
  throw new InputError(
    'bad-option',
    `there is no engine "${name}" to install: tfjs and cuda can be installed, the others come with headlight`,
  )
}

function statusText(engines: readonly EngineStatus[]): string {
  const width = Math.max(...engines.map(({ engine }) => engine.length))
  return engines
    .map((status) => {
      const { engine, usable, remedy, note } = status
      const line = `${(usable ? 'usable' : 'unusable').padEnd(8)}  ${engine.padEnd(width)}  ${engineFacts(status)}\n`
      const more = [remedy, note].filter((text) => text !== null)
      return `${line}${more.map((text) => `${' '.repeat(width + 12)}→ ${text}\n`).join('')}`
    })
    .join('')
}
