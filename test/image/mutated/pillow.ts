import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** A Python process that says whether Pillow reads an image. */
export class Pillow {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: AsyncIterator<string>

  constructor(python: string) {
    const script = fileURLToPath(new URL('pillow.py', import.meta.url))
    this.#process = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** The version of Pillow. */
  async version(): Promise<string> {
    return this.#answer()
  }

  async reads(bytes: Uint8Array): Promise<boolean> {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    this.#process.stdin.write(length)
    this.#process.stdin.write(bytes)
    return (await this.#answer()) === 'reads'
  }

  close(): void {
    this.#process.stdin.end()
  }

  async #answer(): Promise<string> {
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error('Python ended: does it have Pillow?')
    return String(value)
  }
}
