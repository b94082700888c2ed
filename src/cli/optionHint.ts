import type { Command } from 'commander'

/**
 * What to say of an option that the command in `args` does not have: the option that was meant, or the commands that
 * have it. Undefined when nothing comes near. Commander's own suggestion knows slips of the finger only: neither
 * `--net`, nor `-dataset`, nor `--endpoint` for `--s3-endpoint`.
 */
export function optionHint(program: Command, args: readonly string[], unknown: string): string | undefined {
  const command = commandOf(program, args)
  const word = unknown.replace(/^-+/, '').replace(/=.*$/, '').toLowerCase()
  if (word === '') return undefined
  const meant = flagsOf(command).filter((flag) => {
    const name = flag.slice(2)
    return name === word || (word.length > 1 && (name.startsWith(word) || name.split('-').includes(word)))
  })
  if (meant.length > 0) return `did you mean ${meant.join(' or ')}?`
  // What stands after `--` is in the options of another command.
  if (command.name() === 'add' && command.parent?.name() === 'schedule') {
    return 'the options of the run stand after --, as in schedule add NAME --cron … --tz … -- --dataset URI …'
  }
  const others = leaves(program).filter((leaf) => flagsOf(leaf).includes(`--${word}`))
  return others.length === 0 ? undefined : `it is an option of ${others.map(nameOf).join(', ')}`
}

const flagsOf = (command: Command): string[] =>
  command.options.flatMap(({ long, hidden }) => (long === undefined || long === null || hidden ? [] : [long]))

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap((sub) => leaves(sub))

/** `network inspect`, without the program's own name. */
function nameOf(command: Command): string {
  return command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}

function commandOf(program: Command, args: readonly string[]): Command {
  let command = program
  for (const arg of args) {
    const found = command.commands.find((sub) => sub.name() === arg)
    if (found === undefined) break
    command = found
  }
  return command
}
