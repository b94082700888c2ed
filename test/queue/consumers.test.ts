import { expect, it } from 'vitest'
import { consumersOf } from '../../src/queue/consumers.ts'

const queue = (answer: number | Error) => ({
  getWorkersCount: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
})

it('counts the processes that take jobs', async () => {
  expect(await consumersOf(queue(3))).toBe(3)
})

it.each([
  "NOPERM User worker has no permissions to run the 'client|list' command",
  "ERR unknown command 'CLIENT', with args beginning with: 'LIST'",
  "ERR unknown subcommand 'LIST'. Try CLIENT HELP.",
])('does not know where the server does not tell: %s', async (message) => {
  expect(await consumersOf(queue(new Error(message)))).toBeNull()
})

it('raises what is a fault', async () => {
  await expect(consumersOf(queue(new Error('Connection is closed.')))).rejects.toThrow('closed')
})
