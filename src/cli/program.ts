import { Command, CommanderError } from 'commander'
import { InputError } from '../base/errors.ts'
import { closest } from '../base/spelling.ts'
import { createLogger, type Logger } from '../base/telemetry.ts'
import type { CommandSpec } from './command.ts'
import { compareCommand } from './commands/compare/compare.ts'
import { cancelCommand, pauseCommand, resumeCommand } from './commands/control/control.ts'
import { datasetCheckCommand } from './commands/dataset/dataset.ts'
import { doctorCommand } from './commands/doctor/doctor.ts'
import { engineCommands } from './commands/engine/engine.ts'
import { explainCommand } from './commands/explain/explain.ts'
import { networkCommands } from './commands/network/network.ts'
import { produceCommand } from './commands/produce/produce.ts'
import { producerCommand } from './commands/producer/producer.ts'
import { reportCommand } from './commands/report/report.ts'
import { retryCommand } from './commands/retry/retry.ts'
import { runCommand } from './commands/run/run.ts'
import { scheduleCommands } from './commands/schedule/schedule.ts'
import { serveCommand } from './commands/serve/serve.ts'
import { statusCommand } from './commands/status/status.ts'
import { workerCommand } from './commands/worker/worker.ts'
import { describeFailure } from './failure.ts'
import { readableLogLine } from './messages/logLines.ts'
import { ProgressDisplay } from './messages/progressDisplay.ts'
import { optionHint } from './optionHint.ts'
import { addSettings, settingsOf } from './settings/commandFlags.ts'
import type { SettingName } from './settings/optionSchema.ts'
import { environmentToComputeIn } from './shared/computing.ts'
import { ownFolders } from './shared/ownFolders.ts'
import type { Surroundings } from './surroundings.ts'

const commands: readonly CommandSpec[] = [
  runCommand,
  explainCommand,
  produceCommand,
  workerCommand,
  producerCommand,
  ...scheduleCommands,
  statusCommand,
  pauseCommand,
  resumeCommand,
  cancelCommand,
  retryCommand,
  ...networkCommands,
  datasetCheckCommand,
  reportCommand,
  compareCommand,
  serveCommand,
  doctorCommand,
  ...engineCommands,
]

/** Every command takes these. */
const commonSettings = ['json', 'quiet', 'logLevel', 'debug'] as const satisfies readonly SettingName[]

/** Reads the arguments, performs the command they name, and returns its exit code. Never throws. */
export async function runProgram(args: readonly string[], surroundings: Surroundings): Promise<number> {
  // A sentence about wrong arguments is needed before they could be read: look for these two as they stand.
  const wanted = {
    json: args.includes('--json') || surroundings.environment['HEADLIGHT_JSON'] === 'true',
    debug: args.includes('--debug') || /^(1|true|yes|on)$/i.test(surroundings.environment['HEADLIGHT_DEBUG'] ?? ''),
  }
  let exitCode = 0
  /** Where everything on standard error is a line of JSON, what a failure says is one, too. */
  let jsonLog: Logger | undefined
  const perform: Perform = async (spec, command, operands) => {
    const settings = await settingsOf(command, surroundings)
    wanted.json = settings.json
    wanted.debug = settings.debug
    const folders = ownFolders(settings, surroundings)
    const environment =
      spec.computesItself === true
        ? environmentToComputeIn(settings.engine, folders.engines, surroundings.environment)
        : null
    if (environment !== null) {
      exitCode = await surroundings.runAgain(environment)
      return
    }
    const display = new ProgressDisplay(surroundings.messages, {
      silent: settings.quiet || settings.logLevel === 'silent',
      mute: settings.logLevel === 'silent',
    })
    const format = settings.logFormat ?? (surroundings.messages.isTerminal ? 'text' : 'json')
    if (spec.jsonLogs === true && format === 'json') {
      jsonLog = createLogger('info', { write: (line) => surroundings.messages.write(line) })
      display.writeWith((line) => jsonLog?.info(line))
    }
    const logLine = (line: string): void =>
      jsonLog ? surroundings.messages.write(line) : display.write(readableLogLine(line.trimEnd()))
    const log = createLogger(settings.logLevel ?? (spec.jsonLogs ? 'info' : 'warn'), { write: logLine })
    try {
      exitCode = await spec.perform({ settings, flags: command.opts(), operands, surroundings, folders, display, log })
    } finally {
      display.end()
    }
  }
  const program = buildProgram(surroundings, perform)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    // `--help` and `--version` end so, too.
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const failure = describeFailure(
      error instanceof CommanderError ? asInputError(error, (flag) => optionHint(program, args, flag)) : error,
      wanted,
    )
    if (jsonLog) jsonLog.fatal({ code: failure.json.error.code }, failure.json.error.message)
    else surroundings.messages.write(`${failure.message}\n`)
    if (wanted.json) surroundings.results.write(`${JSON.stringify(failure.json)}\n`)
    return failure.exitCode
  }
}

type Perform = (spec: CommandSpec, command: Command, operands: readonly string[]) => Promise<void>

function buildProgram(surroundings: Surroundings, perform: Perform): Command {
  const program = new Command('headlight')
    .description('Shows what a head-pose network reacts to, for every image of a dataset.')
    .version(surroundings.version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .addHelpText('after', '\nheadlight COMMAND --help shows the options of a command and examples.')
  configure(program, surroundings)
  const groups = new Map<string, Command>()
  for (const spec of commands) {
    const names = spec.name.split(' ')
    const leaf = names.at(-1) ?? spec.name
    const parent = names.length === 1 ? program : group(program, groups, names[0] ?? '', surroundings)
    const command = parent.command(leaf).summary(spec.summary).description(spec.summary)
    configure(command, surroundings)
    spec.extend?.(command)
    addSettings(command, [...spec.settings, ...commonSettings], spec.wording)
    const examples = spec.examples.map(([line, meaning]) => `  # ${meaning}\n  $ ${line}`).join('\n')
    command.addHelpText('after', `\nExamples:\n${examples}`)
    command.action(() => perform(spec, command, command.args))
  }
  addHelpCommand(program, surroundings)
  return program
}

/** Commander's own knows one name only, so `help network inspect` would show too little, and `help rnu` everything. */
function addHelpCommand(program: Command, surroundings: Surroundings): void {
  const help = program.command('help').argument('[command...]').summary('show the options of a command')
  configure(help, surroundings)
  help.action((names: string[]) => {
    let asked = program
    for (const name of names) {
      const found = asked.commands.find((command) => command.name() === name)
      if (found === undefined) throw unknownCommand(name, asked)
      asked = found
    }
    asked.outputHelp()
  })
}

function unknownCommand(name: string, parent: Command): InputError {
  const meant = closest(
    name,
    parent.commands.map((command) => command.name()),
  )
  const hint = meant === undefined ? '--help shows what there is' : `did you mean ${meant}?`
  return new InputError('bad-option', `unknown command '${name}'; ${hint}`)
}

const groupSummaries: Readonly<Record<string, string>> = {
  network: 'look into a network',
  engine: 'engines that run networks: which work here, and installing more',
  schedule: 'run at given times, served by headlight producer',
  dataset: 'look into a dataset',
}

function group(program: Command, groups: Map<string, Command>, name: string, surroundings: Surroundings): Command {
  const known = groups.get(name)
  if (known) return known
  const made = program
    .command(name)
    .description(groupSummaries[name] ?? name)
    .helpCommand(false)
  configure(made, surroundings)
  groups.set(name, made)
  return made
}

function configure(command: Command, { results, messages }: Surroundings): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => results.write(text),
    // Help that nobody asked for (a command is missing) comes here; errors are worded by describeFailure instead.
    writeErr: (text) => messages.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => Math.min(results.columns(), 120),
    getErrHelpWidth: () => Math.min(messages.columns(), 120),
  })
}

/** Commander's `error: unknown option '--x'⏎(Did you mean --y?)` as one sentence of ours. */
function asInputError(error: CommanderError, hintAt: (flag: string) => string | undefined): InputError {
  const [problem = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n')
  const meant = /^\(Did you mean (?:one of )?(.*?)\?\)$/i.exec(suggestion)?.[1]
  const unknown = error.code === 'commander.unknownOption' ? /'(.*)'/.exec(problem)?.[1] : undefined
  const known = unknown === undefined ? undefined : hintAt(unknown)
  const hint = known ?? (meant === undefined ? '--help shows what there is' : `did you mean ${meant}?`)
  return new InputError('bad-option', `${commanderSentence(error.code, problem)}; ${hint}`, { cause: error })
}

function commanderSentence(code: string, problem: string): string {
  switch (code) {
    case 'commander.help':
      return 'a command is missing'
    case 'commander.excessArguments':
      return problem.replace(/\. Expected (\d+) arguments? but got (\d+)\.$/, ': it takes $1, but $2 are given')
    case 'commander.optionMissingArgument':
      return problem.replace(/^option '(\S+) <(.*)>' argument missing$/, '$1 needs a value, $2')
    case 'commander.missingArgument':
      return problem.replace(/^missing required argument '(.*)'$/, '<$1> must be given')
    default:
      return problem
  }
}
