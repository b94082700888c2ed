import { withUsage } from './gpu/usage.ts'

type Command = (args: readonly string[]) => Promise<number>

/** Loaded when they are asked for, by name: all of them together take a second to load. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  gpu: async () => (await import('./gpu/gpu.ts')).benchGpu,
  'gpu-bundle': async () => (await import('./gpu/bundle.ts')).makeBundle,
  serve: async () => (await import('./serve/serve.ts')).benchServe,
}

/**
 * `npm run bench [-- engine pipeline …]`: tables of ratios taken in one run; absolute times drift between machines.
 * `npm run bench -- gpu`, `gpu-bundle` and `serve` are commands of their own, with options.
 */
process.exitCode = await withUsage(async () => {
  const [first = '', ...rest] = process.argv.slice(2)
  const command = commands[first]
  if (command !== undefined) return (await command())(rest)
  return (await import('./tables.ts')).printTables(process.argv.slice(2), Object.keys(commands))
})
