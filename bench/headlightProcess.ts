import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))

/** Of the S3 service that a bench starts. */
export const benchCredentials = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' }

/** The built command as a process of its own; gives what it prints. Rejects when it fails. */
export function headlight(options: readonly string[], everySecond?: (pid: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: benchCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: benchCredentials.secretAccessKey,
      },
    })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    const sampling = setInterval(() => child.pid !== undefined && everySecond?.(child.pid), 1000)
    child.once('error', reject)
    child.once('close', (code) => {
      clearInterval(sampling)
      if (code === 0) resolve(printed)
      else reject(new Error(`headlight ${options.join(' ')} ended with code ${code}`))
    })
  })
}
