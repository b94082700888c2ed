import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'

/** After that a new one is made, and old cookies and addresses with a token are worth nothing. */
const livesMs = 30 * 24 * 60 * 60 * 1_000

const fileSchema = z.strictObject({ token: z.string().regex(/^[\w-]{43}$/), until: z.iso.datetime() })

/** The secret that opens the app: in the printed address once, from then on in a cookie. */
export class Token {
  readonly text: string
  /** When it is worth nothing any more. */
  readonly until: Date

  constructor(text: string, until: Date) {
    this.text = text
    this.until = until
  }

  /** Takes the same time whatever is wrong with the guess. */
  matches(guess: string | undefined, now: Date): boolean {
    const digest = (text: string) => createHash('sha256').update(text).digest()
    return timingSafeEqual(digest(guess ?? ''), digest(this.text)) && now < this.until
  }
}

/**
 * The token of this user on this machine: the one of the last start while it lives, so that open pages and bookmarks stand a
 * restart, else a new one. Only this user can read its file. Raises what the file system raises.
 */
export async function standingToken(stateFolder: string, now: Date): Promise<Token> {
  const path = join(stateFolder, 'serve-token')
  const kept = await readToken(path)
  if (kept !== undefined && now < kept.until) return kept
  const made = new Token(randomBytes(32).toString('base64url'), new Date(now.getTime() + livesMs))
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify({ token: made.text, until: made.until.toISOString() }))
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  return made
}

async function readToken(path: string): Promise<Token | undefined> {
  try {
    const { token, until } = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')))
    return new Token(token, new Date(until))
  } catch {
    return undefined
  }
}
