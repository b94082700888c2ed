#!/usr/bin/env node
/**
 * The composition root: the only reader of argv and env. It checks the Node version before anything that may not even
 * parse there is loaded, hence the dynamic import of everything else.
 */
import { homedir } from 'node:os'
import type { Output, StopSignal, Surroundings } from './terminal.ts'

const oldestNode = [20, 19] as const
const lingerMs = 2_000

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
  process.stderr.write(
    `headlight: needs Node ${oldestNode.join('.')} or newer, but this is Node ${process.versions.node}\n`,
  )
  process.exitCode = 2
} else {
  // headlight supports Node 20 knowingly; the SDK's advice to upgrade is none that its users asked for.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  // For the units, which inherit it and hold hundreds of MB of weights: with huge pages they start in two thirds of the
  // time and compute 2 % faster. glibc reads it at the start of a process, so for this one it comes too late.
  process.env['GLIBC_TUNABLES'] ??= 'glibc.malloc.hugetlb=1'
  // TensorFlow tells of its own start on standard error, and takes a GPU's whole memory unless told otherwise.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true'
  const { runProgram } = await import('./program.ts')
  process.exitCode = await runProgram(process.argv.slice(2), surroundings(await packageVersion()))
  // A client of the queue that could not say goodbye goes on looking for its Redis, and keeps the process alive.
  setInterval(() => {
    if (process.stdout.writableLength === 0) process.exit()
  }, lingerMs).unref()
}

async function packageVersion(): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}

function surroundings(version: string): Surroundings {
  // A reader that went away (`headlight status | head -1`) is no reason to crash.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
      throw error
    })
  }
  return {
    version,
    environment: process.env,
    homeFolder: homedir(),
    results: output(process.stdout),
    messages: output(process.stderr),
    onStopSignal(listener) {
      const stops: Record<StopSignal, () => void> = {
        SIGINT: () => listener('SIGINT'),
        SIGTERM: () => listener('SIGTERM'),
      }
      process.on('SIGINT', stops.SIGINT)
      process.on('SIGTERM', stops.SIGTERM)
      return () => {
        process.off('SIGINT', stops.SIGINT)
        process.off('SIGTERM', stops.SIGTERM)
      }
    },
    exit: (code) => process.exit(code),
  }
}

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY === true,
    columns: () => stream.columns ?? 80,
  }
}
