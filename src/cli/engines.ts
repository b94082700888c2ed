import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { installCuda } from '../engines/cudaInstallation.ts'
import { engineStatuses, type EngineStatus } from '../engines/engineStatus.ts'
import { installTfjs } from '../engines/tfjsInstallation.ts'
import { InputError } from '../errors.ts'
import { installations, type InstallationName } from '../saliency/engine.ts'
import type { Call } from './command.ts'
import { ownFolders } from './machine.ts'

/** `headlight engine list`. */
export async function listEngines({ settings, surroundings }: Call): Promise<number> {
  const engines = await engineStatuses(ownFolders(settings, surroundings).engines, surroundings.environment)
  surroundings.results.write(settings.json ? `${JSON.stringify({ engines })}\n` : statusText(engines))
  return 0
}

/** `headlight engine install`. */
export async function installEngine(call: Call): Promise<number> {
  const { settings, surroundings, flags, display } = call
  const enginesFolder = ownFolders(settings, surroundings).engines
  const { environment } = surroundings
  const say = (line: string): void => display.write(line)
  if (installationOf(call) === 'cuda') {
    await installCuda({ enginesFolder, homeFolder: surroundings.homeFolder, environment, say })
    return 0
  }
  const tensorflow = typeof flags['tensorflow'] === 'string' ? flags['tensorflow'] : undefined
  await installTfjs({ enginesFolder, tensorflow, cuda: flags['cuda'] === true, environment, say })
  return 0
}

/** `headlight engine remove`. */
export async function removeEngine(call: Call): Promise<number> {
  const { folder, engine } = installations[installationOf(call)]
  const path = join(ownFolders(call.settings, call.surroundings).engines, folder)
  await rm(path, { recursive: true, force: true })
  call.display.write(`${engine} is removed: ${path}`)
  return 0
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
    .map(({ engine, usable, version, device, problem, remedy }) => {
      const name = engine.padEnd(width)
      if (usable) return `usable    ${name}  ${version}, on ${device}\n`
      return `unusable  ${name}  ${problem}\n${remedy === null ? '' : `${' '.repeat(width + 12)}→ ${remedy}\n`}`
    })
    .join('')
}
