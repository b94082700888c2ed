import { Command } from 'commander'
import { InputError } from '../../../base/errors.ts'
import type { GivenDescription } from '../../../output/givenDescription.ts'
import { networkUri } from '../../../output/networkFile.ts'
import { Schedules, type ScheduleStatus } from '../../../producer/schedules.ts'
import { cronTimes, refuseSeconds } from '../../../queue/cronTimes.ts'
import type { RunJob } from '../../../queue/jobs.ts'
import type { QueueConnection } from '../../../queue/redisUrl.ts'
import { scheduleNamePattern } from '../../../queue/schedule.ts'
import { place } from '../../../storage/place.ts'
import type { Call } from '../../command.ts'
import { addSettings, computingSettings, required, settingsOf } from '../../settings/commandFlags.ts'
import type { Settings } from '../../settings/optionSchema.ts'
import { askedFor } from '../../shared/askedFor.ts'
import { givenRedis } from '../../shared/redis.ts'
import { runJob } from '../../shared/runJob.ts'
import { warnWithoutProducer } from '../../shared/standingProducer.ts'

/** Prepares the result set that the options after `--` ask for, and adds or changes the schedule. */
export async function addSchedule(call: Call): Promise<number> {
  const { flags, operands, surroundings } = call
  const [name = '', ...options] = operands
  if (!scheduleNamePattern.test(name)) {
    throw new InputError('bad-option', `"${name}" is no name for a schedule: letters, digits, . _ -, at most 64`)
  }
  const when = { cron: needed(flags, 'cron', 'LINE'), timeZone: needed(flags, 'tz', 'ZONE') }
  refuseSeconds(when.cron)
  cronTimes(when.cron, when.timeZone, new Date(), 1)
  if (options.includes('--follow-network')) {
    throw new InputError('bad-option', '--follow-network is an option of the schedule; put it before the --')
  }
  const settings = await settingsOf(runOptions(options), surroundings)
  return withSchedules(call, 'schedule add', async (schedules, connection) => {
    const asked = await askedFor({ ...call, settings }, 'schedule add … --')
    try {
      const set = await asked.prepare()
      for (const warning of asked.indexWarnings) call.log.warn(warning)
      const followNetwork =
        flags['followNetwork'] === true ? { followNetwork: followed(settings, asked.described) } : {}
      const job = { ...runJob(settings, asked.output, set), ...followNetwork }
      const done = await schedules.put({ name, ...when, job })
      const status = (await schedules.statuses()).find(({ schedule }) => schedule.name === name)
      const underway = (await schedules.underway()).get(name)
      if (status !== undefined) {
        say(call, { done, ...statusJson(status, underway) }, `${done}: ${statusText(status, underway)}`)
      }
      await warnWithoutProducer(connection, call.log)
      return 0
    } finally {
      asked.dataset.close()
      asked.output.close()
    }
  })
}

function needed(flags: Call['flags'], name: string, placeholder: string): string {
  const value = flags[name]
  if (typeof value !== 'string') throw new InputError('bad-option', `schedule add needs --${name} ${placeholder}`)
  return value
}

/** Where producers read the network: not the one that this command has read. */
function followed(settings: Settings, described: GivenDescription | undefined): NonNullable<RunJob['followNetwork']> {
  const uri = networkUri(required(settings, 'network', 'schedule add … --'))
  const { s3Endpoint: endpoint } = settings
  return {
    uri,
    ...(endpoint === undefined || !uri.startsWith('s3:') ? {} : { endpoint }),
    ...(described === undefined ? {} : { described: { name: described.name, override: described.override } }),
  }
}

export async function listSchedules(call: Call): Promise<number> {
  return withSchedules(call, 'schedule list', async (schedules) => {
    const statuses = await schedules.statuses()
    const underway = await schedules.underway()
    const told = <T>(tell: (status: ScheduleStatus, underway: Underway) => T): T[] =>
      statuses.map((status) => tell(status, underway.get(status.schedule.name)))
    const text = statuses.length === 0 ? `no schedule: ${schedules.noneText}\n` : told(statusText).join('\n')
    say(call, { schedules: told(statusJson) }, text)
    return 0
  })
}

export async function changeSchedule(call: Call, wish: 'run' | 'pause' | 'resume' | 'remove'): Promise<number> {
  const [name = ''] = call.operands
  return withSchedules(call, `schedule ${wish}`, async (schedules, connection) => {
    const act: Readonly<Record<typeof wish, () => Promise<string>>> = {
      run: async () => {
        const before = (await schedules.underway()).get(name)
        await schedules.runNow(name)
        const skipped = before === 'active' ? '; a run of it is at work: while that goes on, this one is skipped' : ''
        return `is queued for the next free headlight producer${skipped}`
      },
      pause: async () => ((await schedules.pause(name)) ? 'is paused' : 'was paused already'),
      resume: async () => ((await schedules.resume(name)) ? 'is resumed' : 'was not paused: nothing is changed'),
      remove: async () => {
        await schedules.remove(name)
        return 'is removed; its results stay'
      },
    }
    const done = await act[wish]()
    say(call, { name, done: wish }, `${name} ${done}\n`)
    if (wish === 'run') await warnWithoutProducer(connection, call.log)
    return 0
  })
}

async function withSchedules(
  call: Call,
  command: string,
  body: (schedules: Schedules, connection: QueueConnection) => Promise<number>,
): Promise<number> {
  const connection = await givenRedis(call, command)
  const schedules = await Schedules.open(connection, call.log)
  try {
    return await body(schedules, connection)
  } finally {
    await schedules.close()
  }
}

/** What is the workers' choice, or the caller's, or makes no difference to a run that nobody waits for. */
const notOfRuns: readonly string[] = ['engine', 'batch', 'redis', 'strict']

/** The arguments after `--`, read as those of `produce` would be. */
function runOptions(args: readonly string[]): Command {
  const command = new Command('--').exitOverride().configureOutput({ outputError: () => undefined })
  addSettings(command, [...computingSettings.filter((name) => !notOfRuns.includes(name)), 'priority'])
  return command
    .helpOption(false)
    .allowExcessArguments(false)
    .parse([...args], { from: 'user' })
}

function say({ settings, surroundings }: Call, json: object, text: string): void {
  if (settings.json) surroundings.results.write(`${JSON.stringify(json)}\n`)
  else if (!settings.quiet) surroundings.results.write(text)
}

/** The state of a run of the schedule in the queue. */
type Underway = 'active' | 'waiting' | undefined

/** As `--json` prints it. The names are a contract: add, don't rename. */
function statusJson({ schedule, next, outcomes }: ScheduleStatus, underway: Underway) {
  const { name, cron, timeZone, paused, job } = schedule
  const { output, set, full, prune, keepRuns, report, priority } = job
  const when = { name, cron, timeZone, paused, next }
  const followed = job.followNetwork === undefined ? {} : followedJson(job.followNetwork)
  const kept = { ...(keepRuns === undefined ? {} : { keepRuns }), ...(report === undefined ? {} : { report }) }
  const what = { output, set, full, prune, ...kept, ...(priority === undefined ? {} : { priority }), ...followed }
  return { ...when, ...what, underway: underway ?? null, lastOutcome: outcomes[0] ?? null, outcomes }
}

function followedJson({ uri, described }: NonNullable<RunJob['followNetwork']>) {
  return { followNetwork: uri, ...(described === undefined ? {} : { description: described.name }) }
}

const manner = ({ full, prune, keepRuns, report, priority }: RunJob): string =>
  [
    full ? ', in full' : '',
    prune ? ', pruned' : '',
    keepRuns === undefined ? '' : `, the last ${keepRuns} kept whole`,
    report === undefined ? '' : ', without report',
    priority === undefined ? '' : `, priority ${priority}`,
  ].join('')

/** Of the last run where the network is followed: the schedule's own is that of a network which may long be gone. */
function resultSet({ set, followNetwork }: RunJob, outcomes: ScheduleStatus['outcomes']): string {
  if (followNetwork === undefined) return `${set}/`
  const last = outcomes.find(({ run }) => run !== null)
  return last === undefined
    ? `${set}/, if the network is still that of when it was added`
    : `${last.set ?? set}/, of the last run`
}

/** A producer that is there begins at once. */
const lateMs = 15_000

function statusText({ schedule, next, outcomes }: ScheduleStatus, underway: Underway): string {
  const { name, cron, timeZone, paused, job } = schedule
  const [last] = outcomes
  // Sweden writes dates as ISO 8601 does.
  const local = (date: Date): string => date.toLocaleString('sv-SE', { timeZone })
  const [due] = next
  const isLate = due !== undefined && Date.now() - due.getTime() > lateMs
  const overdue = isLate ? ' (the first is overdue: it runs when a headlight producer is there and free)' : ''
  const rows: [string, string][] = [
    ['runs', `${cron}, ${timeZone}${paused ? '; paused' : ''}`],
    ['result set', `${place(job.output)}${resultSet(job, outcomes)}${manner(job)}`],
    ...(job.followNetwork === undefined
      ? []
      : [['network', `${place(job.followNetwork.uri)}, read anew each time`] satisfies [string, string]]),
    ...(job.followNetwork?.described === undefined
      ? []
      : [
          ['description', `${job.followNetwork.described.name}, as it was when this was added`] satisfies [
            string,
            string,
          ],
        ]),
    ['next', paused ? 'when it is resumed' : `${next.map(local).join(', ')}${overdue}`],
  ]
  if (underway !== undefined) {
    rows.push(['now', underway === 'active' ? 'a run is at work' : 'a run waits for a free headlight producer'])
  }
  if (last === undefined) rows.push(['last', 'not run yet'])
  else {
    const which = last.run === null ? '' : `, run ${last.run}`
    const why = last.message === null ? '' : `: ${last.message}`
    rows.push(['last', `${last.outcome} ${local(new Date(last.at))}${which}${why}`])
  }
  return `${name}\n${rows.map(([key, value]) => `  ${key.padEnd(12)}${value}\n`).join('')}`
}
