import { execFile } from 'node:child_process'
import { main } from './headlight.ts'

/**
 * Runs lines of the shell in `folder`, in which `headlight` is the built command, and gives what they write. For what
 * only a shell can do: pipes with a reader that ends, descriptors that are closed.
 */
export function shell(
  lines: string,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string; stderr: string }> {
  const { PATH = '', HOME = '' } = process.env
  const headlight = `headlight() { '${process.execPath}' '${main}' "$@"; }`
  const options = { cwd: folder, env: { PATH, HOME, ...environment } }
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', `${headlight}\n${lines}`], options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr })
      else reject(new Error(`${error.message}\n${stdout}\n${stderr}`))
    })
  })
}
