#!/usr/bin/env node
/**
 * The composition root: the only reader of argv and env. It checks the Node version before anything that may not even
 * parse there is loaded, hence the dynamic import of everything else.
 */
import { spawn } from 'node:child_process'
import { constants, homedir } from 'node:os'
import { isatty } from 'node:tty'
import type { Output, StopSignal, Surroundings } from './surroundings.ts'

const oldestNode = [20, 19] as const
const lingerMs = 2_000
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const satisfies readonly StopSignal[]
/**
 * Huge pages, for whoever holds hundreds of MB of weights: the engine is ready in two thirds of the time and 2 % faster.
 * glibc reads it when a process starts, so it works on children only.
 */
const hugePages = 'glibc.malloc.hugetlb=1'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
  process.stderr.write(
    `headlight: needs Node ${oldestNode.join('.')} or newer, but this is Node ${process.versions.node}\n`,
  )
  process.exitCode = 2
} else {
  // headlight supports Node 20 knowingly; the SDK's advice to upgrade is none that its users asked for.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const isChosen = process.env['GLIBC_TUNABLES'] !== undefined
  // Units inherit it.
  process.env['GLIBC_TUNABLES'] ??= hugePages
  // From 1.30 on, ONNX Runtime tells its makers how it is used. What runs here is its user's business alone.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1'
  // TensorFlow tells of its own start on standard error.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  // explain computes in this process, and its time is mostly the engine's start: another process is soon made up for.
  if (process.argv[2] === 'explain' && process.platform === 'linux' && !isChosen)
    process.exitCode = await runAgain(process.env)
  else await run()
}

async function run(): Promise<void> {
  const [{ runProgram }, { StandardStream }] = await Promise.all([
    import('./program.ts'),
    import('./standardStream.ts'),
  ])
  const messages = new StandardStream(process.stderr)
  const results = new StandardStream(process.stdout, (reason) =>
    messages.write(
      `headlight: standard output cannot be written (${reason}); what belongs there is lost, the work goes on\n`,
    ),
  )
  process.exitCode = await runProgram(process.argv.slice(2), surroundings(await packageVersion(), results, messages))
  // A client of the queue that could not say goodbye goes on looking for its Redis, and keeps the process alive.
  setInterval(() => {
    if (results.isWritten) process.exit()
  }, lingerMs).unref()
}

/** The same command in a child process, whose signals and end are this one's. */
async function runAgain(env: Surroundings['environment']): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit', env })
  for (const signal of stopSignals) process.on(signal, () => child.kill(signal))
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    // As shells count the end by a signal.
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
}

async function packageVersion(): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}

function surroundings(version: string, results: Output, messages: Output): Surroundings {
  // Node ends at a SIGHUP also where it was told to ignore it, by nohup say. Who has no terminal has none to be closed.
  const hasTerminal = [0, 1, 2].some((fd) => isatty(fd))
  if (!hasTerminal) process.on('SIGHUP', () => undefined)
  const told = stopSignals.filter((name) => hasTerminal || name !== 'SIGHUP')
  return {
    version,
    environment: process.env,
    homeFolder: homedir(),
    results,
    messages,
    onStopSignal(listener) {
      const stops = told.map((name) => [name, () => listener(name)] as const)
      for (const [name, stop] of stops) process.on(name, stop)
      return () => {
        for (const [name, stop] of stops) process.off(name, stop)
      }
    },
    runAgain,
    exit: (code) => process.exit(code),
  }
}
