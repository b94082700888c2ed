import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const source = fileURLToPath(new URL('../src', import.meta.url))
const raised = /new (?:Input|Sample|Transient|Place|Refusal)Error\(\s*(?:'[a-z-]+'|[\w.]+),\s*/g
/** Names may begin a sentence: they have their capital everywhere. */
const names = /^(Redis|Amazon|Valkey|JPEG|PNG|S3)\b/

/** The message's source text: literals joined by `+`, up to the comma or bracket behind them. */
function messageAt(text: string, from: number): string | undefined {
  const literal = /^(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)/.exec(text.slice(from))?.[0]
  if (literal === undefined) return undefined
  const rest = /^\s*\+\s*/.exec(text.slice(from + literal.length))?.[0]
  const said = literal.slice(1, -1)
  if (rest === undefined) return said
  return said + (messageAt(text, from + literal.length + rest.length) ?? '')
}

it('errors say their one sentence alike: no capital at its start, no stop at its end', () => {
  let seen = 0
  const odd: string[] = []
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )) {
    const text = readFileSync(join(source, file), 'utf8')
    for (const { 0: call, index } of text.matchAll(raised)) {
      const message = messageAt(text, index + call.length)
      if (message === undefined) continue
      seen++
      if ((/^[A-Z][a-z]* /.test(message) && !names.test(message)) || message.endsWith('.'))
        odd.push(`${file}: ${message}`)
    }
  }
  expect(odd).toEqual([])
  expect(seen).toBeGreaterThan(100)
})
