import type { Command } from 'commander'
import type { Logger } from '../base/telemetry.ts'
import type { ProgressDisplay } from './messages/progressDisplay.ts'
import type { SettingWording } from './settings/commandFlags.ts'
import type { SettingName, Settings } from './settings/optionSchema.ts'
import type { OwnFolders } from './shared/ownFolders.ts'
import type { Surroundings } from './surroundings.ts'

/** One call of a command, with everything it was given. */
export interface Call {
  readonly settings: Settings
  /** The flags and arguments that are no settings, as commander read them. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly operands: readonly string[]
  readonly surroundings: Surroundings
  /** Where headlight keeps files of its own. */
  readonly folders: OwnFolders
  /** Standard error: progress, messages and log lines go through it, so that they do not overwrite each other. */
  readonly display: ProgressDisplay
  readonly log: Logger
}

/**
 * What program.ts needs to offer a command. `perform` imports what it needs when it is called, so that `explain` never
 * waits for the queue's or the store's packages.
 */
export interface CommandSpec {
  /** `run`, or `network inspect` below the group `network`. */
  readonly name: string
  readonly summary: string
  readonly settings: readonly SettingName[]
  /** What `--help` says of a setting here, where the schema's own words are not right for this command. */
  readonly wording?: SettingWording
  /** `headlight …` lines for `--help`, each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  /** Logs as JSON lines where standard error is no terminal, or --log-format says so: for commands that live long under a supervisor. */
  readonly jsonLogs?: boolean
  /** Runs the network in its own process, where other commands leave that to units. */
  readonly computesItself?: boolean
  /** Adds operands, and the flags that belong to no setting. */
  readonly extend?: (command: Command) => void
  /** Returns the exit code. */
  readonly perform: (call: Call) => Promise<number>
}
